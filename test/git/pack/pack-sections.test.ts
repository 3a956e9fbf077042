/** Where sections end and which objects are roots, as `git` itself packs and counts. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readConfig } from '../../../src/config.ts'
import { objectIdAt } from '../../../src/git/object-id.ts'
import { withChecksums } from '../../../src/git/pack/pack-sections.ts'
import { PackSet } from '../../../src/git/pack/pack-set.ts'
import { receivePackFile } from '../../../src/git/pack/receive-pack-file.ts'
import { bytesInMemory } from '../../../src/git/pack/shared-pack.ts'
import { makeHistory } from '../../support/git-client.ts'
import { blob, memorySpool, rawPack } from '../../support/raw-pack.ts'

const { limits } = readConfig({})

async function receive(pack: Buffer) {
  const input = (async function* () {
    yield pack
  })()
  return await receivePackFile(input, {
    spool: memorySpool(),
    existing: new PackSet([], { objectHeldMaxBytes: 0 }),
    limits,
  })
}

/** What a push of everything sends. */
function packOfAll(t: Test) {
  const path = join(t.testdir(), 'source.git')
  makeHistory(path, { seed: 3, commits: 60 })
  const git = (args: string[]) => execFileSync('git', ['-C', path, ...args], { maxBuffer: 2 ** 28 })
  return { git, pack: git(['pack-objects', '--all', '--stdout', '--delta-base-offset', '-q']) }
}

t.test('the roots of a pack of everything are tips', async (t) => {
  const { git, pack } = packOfAll(t)
  const { rootIds, outsideIds } = await receive(pack)
  const tips = new Set(git(['for-each-ref', '--format=%(objectname)']).toString().trim().split('\n'))
  const roots = Array.from({ length: rootIds!.length / 20 }, (_, at) => objectIdAt(rootIds!, at * 20))
  t.ok(roots.length > 0)
  t.same(
    roots.filter((id) => !tips.has(id)),
    [],
  )
  t.equal(outsideIds.length, 0)
})

t.test('types in order are sections, mixed ones are not', async (t) => {
  const tree = { typeCode: 2, data: Buffer.alloc(0) }
  t.equal((await receive(rawPack([blob('a'), tree]))).sections, undefined)
  const inOrder = rawPack([tree, blob('a'), blob('b')])
  t.match((await receive(inOrder)).sections, {
    history: { objectCount: 0, end: 12 },
    trees: { objectCount: 1, end: 12 + 1 + 8 },
    blobs: { objectCount: 3, end: inOrder.length - 20 },
  })
  const empty = { objectCount: 0, end: 12 }
  t.same((await receive(rawPack([]))).sections, { history: empty, trees: empty, blobs: empty })
  const pack = rawPack([blob('a')])
  t.same((await receive(pack)).sections, {
    history: empty,
    trees: empty,
    blobs: { objectCount: 1, end: pack.length - 20 },
  })
})

t.test('checksums of packs cut behind a section', async (t) => {
  const tree = { typeCode: 2, data: Buffer.alloc(0) }
  const pack = rawPack([tree, blob('a'), blob('b')])
  const { sections } = await receive(pack)
  const { history, trees, blobs } = withChecksums(sections!, bytesInMemory(pack))
  t.ok(history.checksum!.equals(rawPack([]).subarray(-20)))
  t.ok(trees.checksum!.equals(rawPack([tree]).subarray(-20)))
  t.equal(blobs.checksum, undefined)
  t.throws(() => withChecksums(sections!, bytesInMemory(pack.subarray(0, 15))), { code: 'PackInvalid' })
})
