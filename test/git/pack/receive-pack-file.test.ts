import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { ErrorCode } from '../../../src/errors.ts'
import { strictSettings } from '../../../src/git/fsck/settings.ts'
import { type ObjectId, objectIdAt } from '../../../src/git/object-id.ts'
import { typeCodes } from '../../../src/git/pack/format.ts'
import { PackFile } from '../../../src/git/pack/pack-file.ts'
import { PackIndex } from '../../../src/git/pack/pack-index.ts'
import { PackSet } from '../../../src/git/pack/pack-set.ts'
import {
  type ReceivedObject,
  type ReceivePackFileOptions,
  receivePackFile,
} from '../../../src/git/pack/receive-pack-file.ts'
import type { ObjectDatabase } from '../../../src/git/repository.ts'
import { gitEnvironment, temporaryFolder } from '../../support/git.ts'
import { openPackedRepository } from '../../support/packed-repository.ts'
import {
  appendDelta,
  blob,
  memorySpool,
  type RawEntry,
  rawId,
  rawPack,
  varint,
  withTrailer,
} from '../../support/raw-pack.ts'

const MiB = 1024 * 1024
const limits = {
  gitPackMaxBytes: 512 * MiB,
  gitPackMaxObjects: 100_000,
  gitObjectHeldMaxBytes: 16 * MiB,
  gitDeltaDepthMax: 4_095,
}
const nothing = new PackSet([], { objectHeldMaxBytes: 16 * MiB })
const env = gitEnvironment()

function git(folder: string, args: string[], input?: string | Buffer): Buffer {
  return execFileSync('git', ['-C', folder, ...args], { env, input, stdio: 'pipe', maxBuffer: 256 * MiB })
}

async function* cut(bytes: Buffer, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

async function receive(bytes: Buffer, options: Partial<ReceivePackFileOptions> & { pieceBytes?: number } = {}) {
  const spool = memorySpool()
  const { pieceBytes = 65_536, ...rest } = options
  const received = await receivePackFile(cut(bytes, pieceBytes), { spool, existing: nothing, limits, ...rest })
  const pack = new PackFile(new PackIndex(received.index), spool.file, received.isThin)
  return { received, pack, spool }
}

/** A history that git packs with many deltas, the same for the same seed. */
function makeHistory(folder: string, seed: number, commitCount = 40): string {
  let state = seed
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) % below
  }
  const files = new Map<string, string[]>()
  const lines: string[] = []
  for (let commit = 1; commit <= commitCount; commit++) {
    const message = `commit ${commit}`
    lines.push('commit refs/heads/main', `committer A <a@example.org> ${1_700_000_000 + commit} +0000`)
    lines.push(`data ${message.length}`, message)
    for (let change = 0; change < 3; change++) {
      const path = `dir${random(4)}/file${random(6)}.txt`
      const body = files.get(path) ?? Array.from({ length: 50 }, () => `line ${random(1e9)}`)
      body[random(body.length)] = `changed ${random(1e9)}`
      files.set(path, body)
      const text = body.join('\n')
      lines.push(`M 100644 inline ${path}`, `data ${text.length}`, text)
    }
  }
  lines.push('tag v1', 'from refs/heads/main', 'tagger A <a@example.org> 1700000000 +0000', 'data 2', 'v1', '')
  const repository = join(folder, `history-${seed}.git`)
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', repository], { env })
  git(repository, ['fast-import', '--quiet'], lines.join('\n'))
  // With a bitmap git knows no edges, and packs nothing thin.
  git(repository, ['-c', 'repack.writeBitmaps=false', 'repack', '-adfq', '--depth=50'])
  return repository
}

function onlyPack(repository: string): { pack: Buffer; index: Buffer } {
  const folder = join(repository, 'objects/pack')
  const name = readdirSync(folder).find((file) => file.endsWith('.pack'))!
  return { pack: readFileSync(join(folder, name)), index: readFileSync(join(folder, name.replace(/pack$/, 'idx'))) }
}

async function refuses(t: Test, bytes: Buffer, message: RegExp, options: Parameters<typeof receive>[1] = {}) {
  await t.rejects(receive(bytes, options), { name: 'HoldfastError', code: 'PackInvalid' as ErrorCode, message })
}

t.test('the index of a whole pack is the one that git index-pack writes', async (t) => {
  const folder = temporaryFolder(t)
  for (const seed of [1, 2, 3]) {
    const repository = makeHistory(folder, seed)
    const { pack, index } = onlyPack(repository)
    for (const pieceBytes of [seed === 1 ? 1 : 13, 4096, pack.length]) {
      const { received } = await receive(pack, { pieceBytes })
      t.ok(received.index.equals(index))
      t.equal(received.sizeBytes, pack.length)
      t.equal(received.isThin, false)
      t.equal(received.outsideIds.length, 0)
      t.ok(received.checksum.equals(pack.subarray(-20)))
    }
    const everything = git(repository, ['rev-list', '--objects', '--all', '--no-object-names'])
    const byId = git(repository, ['pack-objects', '--stdout', '-q', '--no-reuse-object'], everything)
    const refDeltas = await receive(byId)
    t.ok(refDeltas.received.index.equals(gitIndex(folder, byId)), 'deltas that name their base by its id')
  }
})

function gitIndex(folder: string, pack: Buffer): Buffer {
  const repository = join(folder, `index-${createHash('sha1').update(pack).digest('hex')}.git`)
  execFileSync('git', ['init', '-q', '--bare', repository], { env })
  git(repository, ['index-pack', '--stdin', '--strict'], pack)
  return onlyPack(repository).index
}

t.test('visit sees every object once, small ones with their data', async (t) => {
  const repository = makeHistory(temporaryFolder(t), 4)
  const seen: string[] = []
  const visit = ({ type, id, sizeBytes, data }: ReceivedObject) => {
    seen.push(`${id} ${type} ${sizeBytes}`)
    if (data !== undefined) t.equal(rawId(type, data).toString('hex'), id)
    t.equal(data === undefined, type === 'blob' && sizeBytes >= 1024)
  }
  const phases: string[] = []
  await receive(onlyPack(repository).pack, {
    visit,
    onProgress: (phase, done, total) => phases.push(`${phase} ${done}/${total}`),
  })
  const listed = git(repository, ['cat-file', '--batch-all-objects', '--batch-check']).toString().trim().split('\n')
  t.same(seen.sort(), listed.sort())
  t.ok(phases.includes(`receiving ${listed.length}/${listed.length}`))
  t.match(phases.at(-1), /^resolving (\d+)\/\1$/)
})

t.test('group 36: a thin pack finds its bases in what exists', async (t) => {
  const folder = temporaryFolder(t)
  const repository = makeHistory(folder, 5)
  const old = join(folder, 'old.git')
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', old], { env })
  const ids = git(repository, ['rev-list', '--objects', '--no-object-names', 'main~5'])
  git(old, ['index-pack', '--stdin'], git(repository, ['pack-objects', '-q', '--stdout'], ids))
  const { objects, close } = openPackedRepository(old)
  t.teardown(close)
  const thin = git(
    repository,
    ['pack-objects', '--thin', '--stdout', '--revs', '-q', '--no-reuse-delta'],
    'main\n^main~5\n',
  )
  const { received, pack } = await receive(thin, { existing: objects })
  t.equal(received.isThin, true)
  const both = new PackSet([...objects.packs, pack], { objectHeldMaxBytes: 16 * MiB })
  for (let position = 0; position < received.objectCount; position++) {
    const id = pack.index.idAt(position)
    const { type, data } = both.read(both.locate(Buffer.from(id, 'hex')))
    t.equal(rawId(type, data).toString('hex'), id)
  }
  const expected = git(repository, ['rev-list', '--objects', '--no-object-names', 'main', '^main~5']).toString()
  t.same(allIds(pack.index.ids), expected.trim().split('\n').sort())
  const outside = allIds(received.outsideIds)
  t.same(outside, [...new Set(outside)].sort())
  t.ok(outside.includes(git(repository, ['rev-parse', 'main~5']).toString().trim() as ObjectId))
  for (const id of outside) t.ok(objects.locate(Buffer.from(id, 'hex')) >= 0)
  await refuses(t, thin, /the delta base [0-9a-f]{40} is missing at offset \d+/)
})

function allIds(ids: Buffer): ObjectId[] {
  return Array.from({ length: ids.length / 20 }, (_, number) => objectIdAt(ids, number * 20))
}

const ofs = (base: number, data: Buffer): RawEntry => ({ typeCode: typeCodes.ofsDelta, base, data })
const ref = (base: Buffer, data: Buffer): RawEntry => ({ typeCode: typeCodes.refDelta, base, data })

t.test('group 36: every kind of damage is refused with its place', async (t) => {
  const good = rawPack([blob('hello'), ofs(0, appendDelta(5, ' world'))])
  t.equal((await receive(good)).received.objectCount, 2)
  const changed = (at: number, value: number) => {
    const bytes = Buffer.from(good)
    bytes[at] = value
    return bytes
  }
  await refuses(t, changed(0, 0x51), /does not begin with PACK at offset 0/)
  await refuses(t, changed(7, 4), /version 4 is unknown/)
  await refuses(t, changed(11, 3), /at offset \d+/)
  await refuses(t, changed(11, 1), /checksum is wrong/)
  await refuses(t, changed(good.length - 1, good[good.length - 1] ^ 1), /checksum is wrong at offset/)
  await refuses(t, Buffer.concat([good, Buffer.from('x')]), /bytes follow its end at offset/)
  await refuses(t, Buffer.concat([good, good]), /bytes follow its end at offset/, { pieceBytes: good.length })
  for (let length = 0; length < good.length; length++) await refuses(t, good.subarray(0, length), /at offset \d+/)
  await refuses(t, changed(12, 0x05), /unknown type 0 at offset 12/)
  await refuses(t, changed(12, 0x55), /unknown type 5 at offset 12/)
  await refuses(t, changed(15, good[15] ^ 0xff), /at offset 12/)
  for (const sizeBytes of [4, 6, 0, 2 * MiB]) {
    await refuses(t, rawPack([{ ...blob('hello'), sizeBytes }]), /another size than announced at offset 12/)
  }
  const cutOff = deflateSync(Buffer.from('hello')).subarray(0, -5)
  await refuses(t, rawPack([{ ...blob('hello'), compressed: cutOff }]), /at offset 12/)
  const padded = Buffer.concat([
    Buffer.from([0x78, 1]),
    Buffer.alloc(5 * 20_000, Buffer.from([0, 0, 0, 255, 255])),
    deflateSync(Buffer.from('hello')).subarray(2),
  ])
  await refuses(t, rawPack([{ ...blob('hello'), compressed: padded }]), /padded with empty zlib blocks at offset 12/)
  const huge = withTrailer(Buffer.concat([good.subarray(0, 12), Buffer.alloc(10, 0xbf), Buffer.alloc(30)]))
  await refuses(t, huge, /absurd size at offset 12/)
})

t.test('group 36: every kind of wrong delta is refused with its place', async (t) => {
  const base = blob('hello')
  const wrong = (...bytes: number[]) => rawPack([base, ofs(0, Buffer.from(bytes))])
  await refuses(t, wrong(4, 4, 0x90, 4), /made for a base of another size at offset \d\d/)
  await refuses(t, wrong(5, 4, 0x90, 5), /copies out of range at offset/)
  await refuses(t, wrong(5, 5, 0x91, 1, 5), /copies out of range/)
  await refuses(t, wrong(5, 6, 0x90, 5), /fewer bytes than it announces/)
  await refuses(t, wrong(5, 5, 0), /reserved instruction 0/)
  await refuses(t, wrong(5, 5, 5, 1, 2), /ends within an instruction/)
  await refuses(t, wrong(5, 5, 0x91), /ends within an instruction/)
  await refuses(t, wrong(5, 2, 3, 1, 2, 3), /inserts out of range/)
  await refuses(t, wrong(0x85), /ends within its sizes/)
  await refuses(t, rawPack([base, ofs(9, appendDelta(5, 'x'))]), /no entry begins/)
  await refuses(t, rawPack([base, ofs(1, appendDelta(5, 'x'))]), /no entry begins/)
  const self = rawId('blob', 'hellox')
  await refuses(t, rawPack([ref(self, appendDelta(6, ''))]), /base [0-9a-f]{40} is missing at offset 12/)
  const [a, b] = [rawId('blob', 'a'), rawId('blob', 'b')]
  await refuses(t, rawPack([ref(a, appendDelta(1, '')), ref(b, appendDelta(1, ''))]), /is missing at offset 12/)
  await refuses(t, rawPack([base, base]), /twice at offset/)
  await refuses(t, rawPack([base, ofs(0, appendDelta(5, ''))]), /holds the object [0-9a-f]{40} twice/)
})

t.test('a delta may name a base that comes later, or is itself such a delta', async (t) => {
  const pack = rawPack([
    ref(rawId('blob', 'hello world'), appendDelta(11, '!')),
    ref(rawId('blob', 'hello'), appendDelta(5, ' world')),
    blob('hello'),
    ofs(0, appendDelta(12, '?')),
  ])
  const { received, pack: file } = await receive(pack)
  t.equal(received.isThin, false)
  t.ok(file.index.find(rawId('blob', 'hello world!?')) >= 0)
  t.ok(received.index.equals(gitIndex(temporaryFolder(t), pack)))
})

t.test('group 36: a chain of 4,095 deltas is taken, one more is not', async (t) => {
  const chain = (depth: number) => {
    const entries = [blob('')]
    for (let link = 0; link < depth; link++) entries.push(ofs(link, appendDelta(link, 'x')))
    return rawPack(entries)
  }
  const longest = chain(4_095)
  t.ok((await receive(longest)).received.index.equals(gitIndex(temporaryFolder(t), longest)))
  await refuses(t, chain(4_096), /deeper than 4095 at offset \d+/)
})

t.test('bases that were dropped from memory are derived again', async (t) => {
  const size = 3 * MiB
  const entries = [blob(Buffer.alloc(size, 7))]
  // Two long branches from each of a few forks, all of whose bases together exceed the memory for them.
  for (const start of [0, 0, 15, 15, 5, 5]) {
    for (let link = 0, base = start; link < 15; link++) {
      entries.push(ofs(base, appendDelta(sizeOf(entries, base), `${entries.length},`)))
      base = entries.length - 1
    }
  }
  const pack = rawPack(entries)
  t.ok((await receive(pack)).received.index.equals(gitIndex(temporaryFolder(t), pack)))
})

/** The inflated size of an entry of `entries`, whose deltas `appendDelta` made. */
function sizeOf(entries: readonly RawEntry[], number: number): number {
  const { base, data } = entries[number]
  if (base === undefined) return data.length
  const baseBytes = sizeOf(entries, base as number)
  return baseBytes + data[varint(baseBytes).length + varint(baseBytes + 2).length + 8]
}

t.test('large blobs pass through in pieces', async (t) => {
  const contents = [randomBytes(3 * MiB), Buffer.alloc(20 * MiB, 'abc'), randomBytes(MiB + 1)]
  const pack = rawPack(contents.map(blob))
  const seen: number[] = []
  const { received, pack: file } = await receive(pack, {
    pieceBytes: 100_003,
    visit: ({ data, sizeBytes }) => {
      t.equal(data, undefined)
      seen.push(sizeBytes)
    },
  })
  t.same(
    seen,
    contents.map((content) => content.length),
  )
  t.ok(received.index.equals(gitIndex(temporaryFolder(t), pack)))
  const existing = new PackSet([file], { objectHeldMaxBytes: 16 * MiB })
  t.equal((await receive(pack, { existing })).received.objectCount, 3, 'the same objects again')
  for (const changed of [
    Buffer.alloc(3 * MiB),
    contents[0].subarray(1),
    Buffer.concat([contents[0], Buffer.from('x')]),
  ]) {
    await refuses(t, rawPack([blob(contents[0])]), /another object under the id/, { existing: liar(changed) })
  }
})

/** A repository that has every id, and `data` under it. */
function liar(data: Buffer, type: 'blob' | 'tree' = 'blob'): ObjectDatabase {
  const database: Pick<ObjectDatabase, 'locate' | 'stat' | 'read' | 'stream'> = {
    locate: () => 0,
    stat: () => ({ type, sizeBytes: data.length }),
    read: () => ({ type, data }),
    async *stream() {
      for (let at = 0; at < data.length; at += 77_777) yield data.subarray(at, at + 77_777)
    },
  }
  return database as ObjectDatabase
}

t.test('group 36: an object that exists must be the same object', async (t) => {
  const pack = rawPack([blob('hello')])
  await receive(pack, { existing: liar(Buffer.from('hello')) })
  await refuses(t, pack, /another object under the id b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0/, {
    existing: liar(Buffer.from('hellO')),
  })
  await refuses(t, pack, /another object under the id/, { existing: liar(Buffer.from('hello'), 'tree') })
})

t.test('malformed objects and references of a wrong type are refused', async (t) => {
  const tree = (...entries: [string, string, Buffer][]): RawEntry => ({
    typeCode: typeCodes.tree,
    data: Buffer.concat(entries.flatMap(([mode, name, id]) => [Buffer.from(`${mode} ${name}\0`), id])),
  })
  const commit = (treeId: Buffer): RawEntry => ({
    typeCode: typeCodes.commit,
    data: Buffer.from(`tree ${treeId.toString('hex')}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n`),
  })
  const hello = rawId('blob', 'hello')
  const invalid = (pack: Buffer, message: RegExp, existing = nothing as ObjectDatabase) =>
    t.rejects(receive(pack, { existing, fsck: strictSettings }), { code: 'ObjectInvalid', message })
  await invalid(rawPack([tree(['100644', '.git', hello])]), /^tree [0-9a-f]{40}: hasDotgit/)
  await invalid(rawPack([{ typeCode: typeCodes.commit, data: Buffer.from('x\n') }]), /missingTree/)
  await invalid(rawPack([blob('hello'), tree(['40000', 'a', hello])]), /named as a tree/)
  await invalid(rawPack([tree(['40000', 'a', hello], ['100644', 'b', hello])]), /named as a tree/)
  await invalid(rawPack([blob('hello'), commit(hello)]), /named as a tree/)
  const { pack } = await receive(rawPack([blob('hello')]))
  await invalid(
    rawPack([commit(hello)]),
    /is, or is named elsewhere as, a blob/,
    new PackSet([pack], { objectHeldMaxBytes: MiB }),
  )
  const other = rawId('blob', 'other')
  const mixed = await receive(rawPack([tree(['100644', 'a', other], ['160000', 'b', hello])]))
  t.same(allIds(mixed.received.outsideIds), [other.toString('hex')], 'submodules are not asked for')
})

t.test('group 36: limits, an empty pack, cancellation and failing sources', async (t) => {
  const empty = await receive(rawPack([]))
  t.equal(empty.received.objectCount, 0)
  t.ok(empty.received.index.equals(gitIndex(temporaryFolder(t), rawPack([]))))

  const pack = rawPack([blob('hello'), ofs(0, appendDelta(5, 'x'))])
  const limited = (limit: Partial<typeof limits>) => receive(pack, { limits: { ...limits, ...limit } })
  const tooLarge = { code: 'InputTooLarge' }
  await limited({ gitPackMaxBytes: pack.length, gitPackMaxObjects: 2, gitObjectHeldMaxBytes: 14 })
  await t.rejects(limited({ gitPackMaxBytes: pack.length - 1 }), tooLarge)
  await t.rejects(limited({ gitPackMaxObjects: 1 }), tooLarge)
  await t.rejects(limited({ gitObjectHeldMaxBytes: 4 }), tooLarge)
  const bomb = rawPack([
    blob(Buffer.alloc(60_000)),
    ofs(0, Buffer.from([...varint(60_000), ...varint(120_000), 0xb0, 0x60, 0xea, 0xb0, 0x60, 0xea])),
  ])
  await receive(bomb, { limits: { ...limits, gitObjectHeldMaxBytes: 120_000 } })
  await t.rejects(receive(bomb, { limits: { ...limits, gitObjectHeldMaxBytes: 119_999 } }), tooLarge)

  const reason = new Error('gone')
  await t.rejects(receive(pack, { signal: AbortSignal.abort(reason) }), reason)
  let isLeft = false
  async function* failing() {
    try {
      yield pack.subarray(0, 20)
      throw reason
    } finally {
      isLeft = true
    }
  }
  await t.rejects(receivePackFile(failing(), { spool: memorySpool(), existing: nothing, limits }), reason)
  t.ok(isLeft)
  const full = { ...memorySpool(), write: async () => Promise.reject(reason) }
  await t.rejects(receivePackFile(cut(pack, 9), { spool: full, existing: nothing, limits }), reason)
})
