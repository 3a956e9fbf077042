/** Version 2's `object-info` (gitprotocol-v2): the sizes of objects that the caller may read. */
import { HoldfastError } from '../../errors.ts'
import type { Limits } from '../../limits.ts'
import type { FetchHost } from '../host.ts'
import { type ObjectId, parseObjectId } from '../object-id.ts'
import { locateId } from '../repository.ts'
import { inChunks } from './advertise-refs.ts'
import { lineOf, type PacketReader } from './pkt-line.ts'

export interface ObjectInfoRequest {
  size: boolean
  ids: readonly ObjectId[]
}

/** Parses the arguments of `object-info`, up to their flush. Throws InputInvalid, InputTooLarge, InputTruncated. */
export async function parseObjectInfoArguments(
  packets: PacketReader,
  limits: Pick<Limits, 'gitObjectInfoMax'>,
): Promise<ObjectInfoRequest> {
  const ids: ObjectId[] = []
  let size = false
  let packet = await packets.read()
  for (; packet instanceof Buffer; packet = await packets.read()) {
    const line = lineOf(packet)
    const id = line.startsWith('oid ') ? parseObjectId(line.slice('oid '.length)) : undefined
    if (line === 'size') size = true
    else if (id !== undefined) ids.push(id)
    else throw new HoldfastError('InputInvalid', { message: `object-info: unexpected line: '${line.slice(0, 80)}'` })
    if (ids.length > limits.gitObjectInfoMax) throw new HoldfastError('InputTooLarge')
  }
  if (packet === undefined) throw new HoldfastError('InputTruncated')
  return { size, ids }
}

/** Writes a line for each object, and the flush. What the caller may not read is as what does not exist: no size follows. */
export async function* writeObjectInfo(host: FetchHost, { size, ids }: ObjectInfoRequest): AsyncGenerator<Uint8Array> {
  const refs = await host.refs()
  yield* host.streamObjects(async function* (objects) {
    const present = [...new Set(ids)].filter((id) => locateId(objects, id) >= 0)
    const refused = new Set(size && present.length > 0 ? await host.refusedWants(objects, refs, present) : [])
    const lineFor = (id: ObjectId) => {
      const ordinal = refused.has(id) ? -1 : locateId(objects, id)
      return ordinal < 0 ? `${id} ` : `${id} ${objects.stat(ordinal).sizeBytes}`
    }
    const attributes = size && ids.length > 0 ? ['size'] : []
    yield* inChunks([...attributes, ...ids.map((id) => (size ? lineFor(id) : id))])
  })
}
