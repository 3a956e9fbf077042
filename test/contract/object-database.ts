/** What every ObjectDatabase promises, compared with what git says of the same objects. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type ObjectId, objectIdBytes } from '../../src/git/object-id.ts'
import { writePack } from '../../src/git/pack/writer.ts'
import { locateId, type ObjectDatabase } from '../../src/git/repository.ts'
import { CommitGraph } from '../../src/git/walk/commit-graph.ts'
import { type Adapted, packOf, push, refCommandsOf, withObjects } from '../support/adapters.ts'
import { git, makeHistory, temporaryFolder } from '../support/git-client.ts'

/** `adapted` is empty, and filled here. */
export async function objectDatabaseContract(t: Test, adapted: Adapted): Promise<void> {
  const source = join(temporaryFolder(t), 'source.git')
  makeHistory(source, { seed: 97, commits: 80 })
  const report = await push(adapted, await refCommandsOf(source), { pack: packOf(source) })
  t.equal(report.unpack, 'ok')
  const listed = (await git(source, 'rev-list', '--objects', '--all', '--no-object-names')).split('\n') as ObjectId[]
  const ids = [...new Set(listed)]

  t.test('every object has one ordinal, and is what git says', async (t) => {
    const described = await describeByGit(source, ids)
    await withObjects(adapted, async (objects) => {
      const ordinals = new Set<number>()
      for (const id of ids) {
        const ordinal = locateId(objects, id)
        ordinals.add(ordinal)
        t.ok(ordinal >= 0 && ordinal < objects.ordinalCount)
        t.equal(objects.idOf(ordinal), id)
        const copied = Buffer.alloc(24)
        objects.copyId(ordinal, copied, 4)
        t.ok(copied.subarray(4).equals(objectIdBytes(id)))
        const { type, sizeBytes } = objects.stat(ordinal)
        t.equal(`${id} ${type} ${sizeBytes}`, described.get(id))
        const read = objects.read(ordinal)
        t.equal(createHash('sha1').update(`${type} ${sizeBytes}\0`).update(read.data).digest('hex'), id)
        const pieces: Uint8Array[] = []
        for await (const piece of objects.stream(ordinal)) pieces.push(piece)
        t.ok(Buffer.concat(pieces).equals(read.data))
      }
      t.equal(ordinals.size, ids.length)
    })
  })

  t.test('what is absent has none, and ids are found by their beginning', async (t) => {
    await withObjects(adapted, async (objects) => {
      t.equal(objects.locate(Buffer.alloc(20, 1)), -1)
      for (const id of ids.slice(0, 20)) {
        const expected = ids.filter((other) => other.startsWith(id.slice(0, 4))).sort()
        t.same([...objects.expand(id.slice(0, 4), 50)].sort(), expected)
      }
      t.same(objects.expand('0000000000', 5), [])
    })
  })

  t.test('commits are read with their parents and trees', async (t) => {
    const lines = (await git(source, 'log', '--all', '--format=%H %T %ct %P')).split('\n')
    await withObjects(adapted, async (objects) => {
      const graph = new CommitGraph(objects)
      for (const line of lines) {
        const [id, tree, seconds, ...parents] = line.trim().split(' ')
        const commit = locateId(objects, id as ObjectId)
        const found = graph.trueParentsOf(commit).map((parent) => objects.idOf(parent))
        t.same([objects.idOf(graph.treeOf(commit)), graph.dateOf(commit), found], [tree, Number(seconds), parents])
      }
    })
  })

  t.test('a pack written of it is whole', async (t) => {
    const pack = await withObjects(adapted, (objects) => writeAll(objects, ids))
    const target = join(temporaryFolder(t), 'target.git')
    await git('/', 'init', '-q', '--bare', target)
    const { status, stderr } = spawnSync('git', ['index-pack', '--strict', '--stdin'], { cwd: target, input: pack })
    t.equal(status, 0, String(stderr))
    const all = await git(target, 'cat-file', '--batch-all-objects', '--batch-check=%(objectname)')
    t.same(all.split('\n').sort(), ids.toSorted())
  })
}

async function describeByGit(source: string, ids: readonly string[]): Promise<Map<string, string>> {
  const { stdout } = spawnSync('git', ['cat-file', '--batch-check'], { cwd: source, input: `${ids.join('\n')}\n` })
  return new Map(
    String(stdout)
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, 40), line]),
  )
}

async function writeAll(objects: ObjectDatabase, ids: readonly ObjectId[]): Promise<Buffer> {
  const ordinals = Uint32Array.from(ids, (id) => locateId(objects, id))
  const ordered = objects.inStoredOrder(ordinals)
  if (new Set(ordered).size !== ids.length) throw new Error('not a permutation')
  const pieces: Uint8Array[] = []
  for await (const piece of writePack(objects, ordinals.toSorted(), { ofsDelta: true })) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}
