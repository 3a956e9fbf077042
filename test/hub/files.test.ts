import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { insertLfsGrants, insertLfsObjects } from '../../src/database/lfs-objects.ts'
import { formatCommit } from '../../src/git/commit.ts'
import type { ObjectId } from '../../src/git/object-id.ts'
import { formatFreshPack } from '../../src/git/pack/fresh-pack.ts'
import type { GitObject, ObjectType } from '../../src/git/repository.ts'
import { directoryMode, fileMode, formatTree } from '../../src/git/tree.ts'
import { listFiles, listFolder } from '../../src/hub/file-lists.ts'
import { findLfsContent, openFile } from '../../src/hub/files.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { anonymous, operator } from '../../src/hub/principal.ts'
import { pushHost } from '../../src/hub/push.ts'
import type { Repo } from '../../src/hub/repo.ts'
import { parseLfsOid } from '../../src/lfs/oid.ts'
import { addPerson, addRepo, type HouseOptions, openHouse } from '../support/house.ts'

/** An empty repository to which objects made by hand are pushed. */
async function openScene(t: Test, options: HouseOptions = {}) {
  const hub = await openHouse(t, options)
  const repo = await addRepo(hub, await addPerson(hub, 'ada'), 'model')
  return { hub, repo }
}

function idOf({ type, data }: GitObject): ObjectId {
  return createHash('sha1').update(`${type} ${data.length}\0`).update(data).digest('hex') as ObjectId
}

function made(type: ObjectType, data: Buffer): GitObject & { id: ObjectId } {
  const object = { type, data }
  return { ...object, id: idOf(object) }
}

function tree(...entries: [number, string, ObjectId][]) {
  return made('tree', formatTree(entries.map(([mode, name, id]) => ({ mode, name, id }))))
}

/** Pushes a commit of `root` and reads the repository again. */
async function pushCommit(hub: Hub, repo: Repo, root: ObjectId, objects: readonly GitObject[]) {
  const person = { name: 'Ada', email: 'ada@example.org', seconds: 1, timezone: '+0000' }
  const data = formatCommit({ treeId: root, parentIds: [], author: person, committer: person, message: 'x\n' })
  const commit = made('commit', data)
  await pushHost(hub, anonymous, repo).push({
    commands: [{ name: 'refs/heads/main', oldId: undefined, newId: commit.id }],
    atomic: false,
    pushOptions: [],
    pack: (async function* () {
      yield formatFreshPack([commit, ...objects])
    })(),
    progress: () => {},
    signal: new AbortController().signal,
  })
  return { commitId: commit.id, repo: await openRepo(hub, operator, repo, 'read') }
}

t.test('a pointer that lies about the size names no content', async (t) => {
  const { hub, repo } = await openScene(t)
  const lfsOid = parseLfsOid(createHash('sha256').update('content').digest('hex'))!
  await insertLfsObjects(hub.database, [{ lfsOid, sizeBytes: 7, key: 'lfs/1' }])
  await insertLfsGrants(hub.database, repo.id, [lfsOid])
  t.match(await findLfsContent(hub, repo, { lfsOid, sizeBytes: 7 }), { key: 'lfs/1' })
  await t.rejects(findLfsContent(hub, repo, { lfsOid, sizeBytes: 3 }), { code: 'BytesMismatch' })
})

t.test('folders without end and without a file do not hold the server up', async (t) => {
  const { hub, repo: empty } = await openScene(t, { limits: { siblingsMax: 1000 } })
  const file = made('blob', Buffer.from('x'))
  // Ten folders in each of ten, fifteen deep: 10^15 paths in 16 objects, and no file but the first.
  const trees = [tree()]
  for (let depth = 0; depth < 15; depth++) {
    const { id } = trees[depth]
    trees.push(tree(...Array.from({ length: 10 }, (_, n): [number, string, ObjectId] => [directoryMode, `d${n}`, id])))
  }
  const root = tree([fileMode, 'a', file.id], [directoryMode, 'b', trees[15].id])
  const { repo, commitId } = await pushCommit(hub, empty, root.id, [root, ...trees, file])
  t.equal(await listFiles(hub, repo, { commitId, isDetailed: false }), undefined)
  t.match(await openFile(hub, repo, { commitId, path: ['a'] }), { blobId: file.id })
})

t.test('folders within folders are listed up to the longest path, and hold nothing up', async (t) => {
  const { hub, repo: empty } = await openScene(t)
  const file = made('blob', Buffer.from('x'))
  const trees = [tree([fileMode, 'file', file.id])]
  for (let depth = 0; depth < 12_000; depth++) trees.push(tree([directoryMode, 'd', trees[depth].id]))
  const { repo, commitId } = await pushCommit(hub, empty, trees[12_000].id, [file, ...trees])
  t.equal(await listFiles(hub, repo, { commitId, isDetailed: false }), undefined)
  const ask = { commitId, path: [], isRecursive: true, after: undefined, withLastCommit: false }
  const page = await listFolder(hub, repo, { ...ask, pageSize: 1_000 })
  t.equal(page.entries.at(-1)?.path.length, 2 * 1_000 - 1)
  const tooLong = listFolder(hub, repo, { ...ask, pageSize: 10_000 })
  await t.rejects(tooLong, { code: 'InputTooLarge', message: /4096 bytes/ })
})

t.test('files and folders come in the order of git', async (t) => {
  const { hub, repo: empty } = await openScene(t)
  const file = made('blob', Buffer.from('x'))
  const inner = tree([fileMode, 'c', file.id])
  const root = tree([fileMode, 'a.b', file.id], [directoryMode, 'a', inner.id], [fileMode, 'd', file.id])
  const { repo, commitId } = await pushCommit(hub, empty, root.id, [root, inner, file])
  const files = await listFiles(hub, repo, { commitId, isDetailed: true })
  t.same(
    files?.map(({ path, sizeBytes }) => [path, sizeBytes]),
    [
      ['a.b', 1],
      ['a/c', 1],
      ['d', 1],
    ],
  )
})
