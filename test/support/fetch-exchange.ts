/** One fetch request, put to our `uploadPack` and to `git upload-pack`, and what came back of it as values. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { FetchHost } from '../../src/git/host.ts'
import { type ObjectId, objectIdAt } from '../../src/git/object-id.ts'
import { PackIndex } from '../../src/git/pack/pack-index.ts'
import { receivePackFile } from '../../src/git/pack/receive-pack-file.ts'
import { dataPacket, delimPacket, flushPacket, lineOf, PacketReader } from '../../src/git/protocol/pkt-line.ts'
import { uploadPack } from '../../src/git/protocol/upload-pack.ts'
import type { ObjectDatabase } from '../../src/git/repository.ts'
import { defaultLimits as limits } from '../../src/limits.ts'
import { gitEnvironment } from './git-client.ts'
import { memorySpool } from './raw-pack.ts'

export interface Exchange {
  version: 0 | 2
  /** `want` and `have` lines, and whatever else the version knows, in its order. */
  lines: string[]
  /** In version 0: behind the flush. */
  haves?: string[]
}

export interface Answer {
  /** The server refused: git by its exit status, we by an ERR packet. */
  refusal: string | undefined
  acks: Set<string>
  boundary: Set<string>
  wantedRefs: Set<string>
  ids: Set<ObjectId> | undefined
}

export function writeRequest({ version, lines, haves = [] }: Exchange): Buffer {
  const packets = (list: string[]) => list.map((line) => dataPacket(`${line}\n`))
  if (version === 0) return Buffer.concat([...packets(lines), flushPacket, ...packets(haves)])
  return Buffer.concat([dataPacket('command=fetch'), delimPacket, ...packets(lines), flushPacket])
}

/** Our answer. Throws where the server has a defect. */
export async function askOurs(host: FetchHost, exchange: Exchange, existing: ObjectDatabase): Promise<Answer> {
  const chunks: Uint8Array[] = []
  const { signal } = new AbortController()
  const body = (async function* () {
    yield writeRequest(exchange)
  })()
  for await (const chunk of uploadPack(host, body, { version: exchange.version, limits, signal })) chunks.push(chunk)
  return await parseAnswer(Buffer.concat(chunks), existing, exchange)
}

/** Git's answer. */
export async function askGit(path: string, exchange: Exchange, existing: ObjectDatabase): Promise<Answer> {
  const child = spawn('git', ['upload-pack', '--stateless-rpc', path], {
    env: { ...gitEnvironment, GIT_PROTOCOL: exchange.version === 2 ? 'version=2' : '' },
  })
  const chunks: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  child.stderr.on('data', (chunk) => errors.push(chunk))
  child.stdin.on('error', () => {})
  child.stdin.end(writeRequest(exchange))
  const [status] = await once(child, 'close')
  if (status !== 0)
    return { ...(await parseAnswer(Buffer.alloc(0), existing, exchange)), refusal: String(Buffer.concat(errors)) }
  return await parseAnswer(Buffer.concat(chunks), existing, exchange)
}

async function parseAnswer(bytes: Buffer, existing: ObjectDatabase, { version }: Exchange): Promise<Answer> {
  const answer: Answer = {
    refusal: undefined,
    acks: new Set(),
    boundary: new Set(),
    wantedRefs: new Set(),
    ids: undefined,
  }
  const stream = (async function* () {
    yield bytes
  })()
  const packets = new PacketReader(stream, Number.POSITIVE_INFINITY)
  const pack: Buffer[] = []
  let section = version === 0 ? 'boundary' : ''
  for (let packet = await packets.read(); packet !== undefined; packet = await packets.read()) {
    if (packet === 'delim' || packet === 'flush') {
      section = ''
      continue
    }
    if (!Buffer.isBuffer(packet)) continue
    const line = lineOf(packet)
    if (line.startsWith('ERR ')) return { ...answer, refusal: line }
    if (section === 'packfile' || (version === 0 && packet[0] <= 3)) {
      if (packet[0] === 1) pack.push(packet.subarray(1))
      if (packet[0] === 3) return { ...answer, refusal: line }
    } else if (/^(un)?shallow /.test(line)) answer.boundary.add(line)
    else if (/^(ACK|NAK|ready)/.test(line)) answer.acks.add(line)
    else if (section === 'wanted-refs') answer.wantedRefs.add(line)
    else section = line
  }
  if (pack.length > 0) answer.ids = await idsOfPack(Buffer.concat(pack), existing)
  return answer
}

async function idsOfPack(bytes: Buffer, existing: ObjectDatabase): Promise<Set<ObjectId>> {
  const input = (async function* () {
    yield bytes
  })()
  const { index } = await receivePackFile(input, { spool: memorySpool(), existing, limits })
  const { ids, objectCount } = new PackIndex(index)
  return new Set(Array.from({ length: objectCount }, (_, position) => objectIdAt(ids, position * 20)))
}
