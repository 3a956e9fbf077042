/** Version 2's `bundle-uri` (gitprotocol-v2): where a client downloads a bundle before it fetches what is missing. */
import { HoldfastError } from '../../errors.ts'
import type { FetchHost } from '../host.ts'
import { idBytes } from '../object-id.ts'
import { type ClonePack, locateId } from '../repository.ts'
import { CommitGraph } from '../walk/commit-graph.ts'
import { leadToAll } from '../walk/leads-to.ts'
import { inChunks } from './advertise-refs.ts'
import type { FetchScene } from './fetch-scene.ts'
import { lineOf, type PacketReader } from './pkt-line.ts'

/** Reads what stands behind the command: a flush. Throws InputInvalid for arguments, which there are none of. */
export async function readNoArguments(packets: PacketReader): Promise<void> {
  const packet = await packets.read()
  if (packet === undefined) throw new HoldfastError('InputTruncated')
  if (packet === 'flush') return
  const line = packet instanceof Buffer ? lineOf(packet).slice(0, 80) : packet
  throw new HoldfastError('InputInvalid', { message: `bundle-uri: unexpected argument: '${line}'` })
}

/** Writes the list of bundles, which is empty while the caller may not see all that the bundle holds, and the flush. */
export async function* writeBundleList(host: FetchHost, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const refs = await host.refs()
  yield* host.streamObjects(async function* (objects) {
    const pack = objects.clonePack
    const isVisible = pack !== undefined && (await leadToTips({ objects, refs, signal }, pack))
    const uri = isVisible ? await host.cloneLinks?.bundle(pack) : undefined
    yield* inChunks(uri === undefined ? [] : ['bundle.version=1', 'bundle.mode=all', `bundle.clone.uri=${uri}`])
  })
}

/** True where refs lead to every tip of the clone pack; not after one was forced or deleted away, until it is made anew. */
async function leadToTips(
  { objects, refs, signal }: Pick<FetchScene, 'objects' | 'refs' | 'signal'>,
  { tipIds }: ClonePack,
): Promise<boolean> {
  const starts = refs.refs.ids().map((id) => locateId(objects, id))
  const tips = Array.from({ length: tipIds.length / idBytes }, (_, at) => objects.locate(tipIds, at * idBytes))
  return await leadToAll(new CommitGraph(objects), starts, tips, signal)
}
