/** The answer to `info/refs?service=…`: the refs in versions 0 and 1, the capabilities in version 2. */

import type { FetchHost, FetchOffers, PushHost } from '../host.ts'
import { nullId, type ObjectId } from '../object-id.ts'
import type { RefList } from '../ref-list.ts'
import type { RefSnapshot } from '../repository.ts'
import {
  allOffers,
  allPushOffers,
  type GitService,
  type ProtocolVersion,
  receivePackCapabilities,
  uploadPackCapabilities,
  version2Capabilities,
} from './capabilities.ts'
import { dataPacket, flushPacket } from './pkt-line.ts'

export interface AdvertiseOptions {
  service: GitService
  /** What the client asked for. receive-pack has no version 2 and answers in version 0, as git does. */
  version: ProtocolVersion
  /** True over HTTP: begins with the `# service=` line where the version calls for it (gitprotocol-http). */
  smartHttp?: boolean
}

/** Writes the advertisement of what `host` shows the caller; signed pushes are offered where it has a nonce for them. */
export async function* advertiseRefs(
  host: Pick<FetchHost, 'refs' | 'offers' | 'shallowIds'> & Pick<PushHost, 'pushNonce' | 'pushOffers'>,
  { service, version, smartHttp = false }: AdvertiseOptions,
): AsyncGenerator<Uint8Array> {
  const offers = host.offers ?? allOffers
  if (version === 2 && service === 'git-upload-pack') {
    const lines = ['version 2', ...version2Capabilities(offers)]
    yield Buffer.concat([...lines.map((line) => dataPacket(`${line}\n`)), flushPacket])
    return
  }
  const snapshot = await host.refs()
  if (smartHttp) yield Buffer.concat([dataPacket(`# service=${service}\n`), flushPacket])
  if (version === 1) yield dataPacket('version 1\n')
  const isFetch = service === 'git-upload-pack'
  const lines = isFetch ? uploadPackLines(snapshot, offers) : receivePackLines(snapshot, host)
  yield* inChunks(withShallow(lines, host.shallowIds ?? []))
}

function* withShallow(lines: Iterable<string>, shallowIds: readonly ObjectId[]): Iterable<string> {
  yield* lines
  for (const id of shallowIds) yield `shallow ${id}\n`
}

function* uploadPackLines({ headTarget, headId, refs }: RefSnapshot, offers: FetchOffers): Iterable<string> {
  const symref = headTarget !== undefined && headId !== undefined ? [`symref=HEAD:${headTarget}`] : []
  const capabilities = [...uploadPackCapabilities(offers), ...symref].join(' ')
  let suffix = `\0${capabilities}\n`
  if (headId !== undefined) {
    yield `${headId} HEAD${suffix}`
    suffix = '\n'
  }
  yield* refLines(refs, suffix, true)
}

/** HEAD and peeled tags are left out: a push has no use for them, and git's receive-pack does the same. */
function receivePackLines({ refs }: RefSnapshot, host: Pick<PushHost, 'pushNonce' | 'pushOffers'>): Iterable<string> {
  const nonce = host.pushNonce?.()
  const certificates = nonce === undefined ? [] : [`push-cert=${nonce}`]
  const capabilities = [...receivePackCapabilities(host.pushOffers ?? allPushOffers), ...certificates].join(' ')
  return refLines(refs, `\0${capabilities}\n`, false)
}

/** The first line of all ends in `firstSuffix`, which names the capabilities. */
function* refLines(refs: RefList, firstSuffix: string, peel: boolean): Iterable<string> {
  if (refs.length === 0 && firstSuffix !== '\n') yield `${nullId} capabilities^{}${firstSuffix}`
  let suffix = firstSuffix
  for (const { name, id, peeledId } of refs) {
    yield `${id} ${name}${suffix}`
    suffix = '\n'
    if (peel && peeledId !== undefined) yield `${peeledId} ${name}^{}\n`
  }
}

const chunkMinLength = 65_536

/** Lines as packets in pieces of about 64 KiB, closed by a flush: one buffer per ref would be slow with 100,000 refs. */
export function* inChunks(lines: Iterable<string>): Iterable<Buffer> {
  let text = ''
  for (const line of lines) {
    text += (line.length + 4).toString(16).padStart(4, '0') + line
    if (text.length >= chunkMinLength) {
      yield Buffer.from(text, 'latin1')
      text = ''
    }
  }
  yield Buffer.from(`${text}0000`, 'latin1')
}
