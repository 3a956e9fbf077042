/** A repository from a folder goes in, and comes out of the server equal. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openBareRepository } from '../../src/bare/bare-repository.ts'
import { findLfsFile } from '../../src/bare/lfs-files.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { importRepository } from '../../src/hub/import.ts'
import type { Repo } from '../../src/hub/repo.ts'
import { git, makeHistory, temporaryFolder } from '../support/git-client.ts'
import { addPerson, addRepo, gitUrl, listen, openHouse } from '../support/house.ts'

async function openScene(t: Test) {
  const hub = await openHouse(t)
  const person = await addPerson(hub, 'ann')
  const repo = await addRepo(hub, person, 'model')
  const folder = temporaryFolder(t)
  const source = join(folder, 'source.git')
  return { hub, repo, folder, source, url: gitUrl(await listen(t, hub), person, 'ann/model') }
}

async function importFrom(hub: Hub, repo: Repo, path: string, allowMissingLfs = false) {
  const messages: string[] = []
  const bare = await openBareRepository(path)
  const source = {
    refs: await bare.refs(),
    objects: bare.objects,
    findLfs: (lfsOid: string) => findLfsFile(bare.gitPath, lfsOid),
  }
  const { signal } = new AbortController()
  const onProgress = (text: string) => messages.push(text)
  const done = importRepository(hub, repo, source, { allowMissingLfs, onProgress, signal })
  return await done.finally(() => bare.close()).then((imported) => ({ imported, messages }))
}

/** Commits a pointer to `content`, and puts the content beside the repository if asked. */
async function addPointer(
  source: string,
  content: Buffer,
  isBeside: boolean,
  sizeBytes = content.length,
): Promise<string> {
  const oid = createHash('sha256').update(content).digest('hex')
  const file = join(source, 'pointer')
  writeFileSync(file, `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${sizeBytes}\n`)
  const blob = await git(source, 'hash-object', '-w', file)
  await git(source, 'read-tree', '--index-output=index.tmp', 'main')
  await git(source, 'read-tree', 'main')
  await git(
    source,
    'update-index',
    '--add',
    '--cacheinfo',
    `100644,${blob},weights-${oid.slice(0, 8)}-${sizeBytes}.bin`,
  )
  const tree = await git(source, 'write-tree')
  await git(source, 'update-ref', 'refs/heads/main', await git(source, 'commit-tree', '-p', 'main', '-m', 'p', tree))
  if (!isBeside) return oid
  mkdirSync(join(source, 'lfs/objects', oid.slice(0, 2), oid.slice(2, 4)), { recursive: true })
  writeFileSync(join(source, 'lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid), content)
  return oid
}

t.test('every ref and object comes out again, and HEAD', async (t) => {
  const { hub, repo, source, folder, url } = await openScene(t)
  makeHistory(source, { seed: 71, commits: 100 })
  await git(source, 'update-ref', 'refs/notes/commits', 'main~2')
  await git(source, 'update-ref', 'refs/pull/1/head', 'main~3')
  await git(source, 'update-ref', 'refs/heads/trunk', 'main~1')
  await git(source, 'symbolic-ref', 'HEAD', 'refs/heads/trunk')
  const { imported } = await importFrom(hub, repo, source)
  await git(folder, 'clone', '-q', '--mirror', url, 'mirror.git')
  const mirror = join(folder, 'mirror.git')
  await git(mirror, 'fsck', '--strict', '--full')
  const refs = (path: string) => git(path, 'for-each-ref', '--format=%(objectname) %(refname)')
  const objects = (path: string) => git(path, 'rev-list', '--objects', '--all', '--no-object-names')
  t.equal(await refs(mirror), await refs(source))
  t.equal(await git(mirror, 'symbolic-ref', 'HEAD'), 'refs/heads/trunk')
  t.equal(await objects(mirror), await objects(source))
  t.equal(imported.refCount, (await refs(source)).split('\n').length)
  t.equal(imported.objectCount, (await objects(source)).split('\n').length)
  await t.rejects(importFrom(hub, repo, source), { code: 'Conflict', message: /not empty/ })
})

t.test('LFS content beside the repository comes along; where it is missing nothing is imported', async (t) => {
  const { hub, repo, source } = await openScene(t)
  makeHistory(source, { seed: 72, commits: 20 })
  await addPointer(source, randomBytes(50_000), true)
  const missing = await addPointer(source, randomBytes(50_000), false)
  await t.rejects(importFrom(hub, repo, source), { code: 'Conflict', message: /Git LFS files are missing/ })
  t.equal((await hub.repositories.refs(repo)).refs.length, 0)
  const { imported } = await importFrom(hub, repo, source, true)
  t.equal(imported.lfsObjectCount, 1)
  const keys: string[] = []
  for await (const { key } of hub.bucket.list('lfs/')) keys.push(key)
  t.equal(keys.length, 1)
  t.notMatch(keys[0], missing)
})

t.test('a damaged LFS file stops the import', async (t) => {
  const { hub, repo, source } = await openScene(t)
  makeHistory(source, { seed: 73, commits: 20 })
  const oid = await addPointer(source, randomBytes(1_000), true)
  writeFileSync(join(source, 'lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid), randomBytes(1_000))
  await t.rejects(importFrom(hub, repo, source), { code: 'BytesMismatch' })
})

t.test('one oid with two sizes: the wrong pointer is refused, or taken if that was asked for', async (t) => {
  for (const wrongBytes of [999, 1_001]) {
    const { hub, repo, source } = await openScene(t)
    makeHistory(source, { seed: 74, commits: 5 })
    const content = randomBytes(1_000)
    await addPointer(source, content, true)
    const oid = await addPointer(source, content, true, wrongBytes)
    await t.rejects(importFrom(hub, repo, source), { code: 'Conflict', message: /Git LFS files are missing/ })
    const { imported } = await importFrom(hub, repo, source, true)
    t.equal(imported.lfsObjectCount, 1)
    t.match(await hub.database.query(`select encode(oid, 'hex') as oid from lfs_grants`), [{ oid }])
  }
})

t.test('an empty repository gives its HEAD', async (t) => {
  const { hub, repo, source, folder } = await openScene(t)
  await git(folder, 'init', '-q', '--bare', '-b', 'trunk', source)
  t.same((await importFrom(hub, repo, source)).imported, { refCount: 0, objectCount: 0, lfsObjectCount: 0 })
  const fresh = { ...repo, refsVersion: String(Number(repo.refsVersion) + 1) }
  t.equal((await hub.repositories.refs(fresh)).headTarget, 'refs/heads/trunk')
})

t.test('a detached HEAD leaves the default branch to what comes', async (t) => {
  const { hub, repo, folder, source, url } = await openScene(t)
  makeHistory(source, { seed: 72, commits: 5 })
  await git(source, 'branch', '-m', 'main', 'trunk')
  await git(source, 'update-ref', '--no-deref', 'HEAD', await git(source, 'rev-parse', 'trunk'))
  for (const name of (await git(source, 'for-each-ref', '--format=%(refname)', 'refs/heads')).split('\n')) {
    if (name !== 'refs/heads/trunk') await git(source, 'update-ref', '-d', name)
  }
  const { messages } = await importFrom(hub, repo, source)
  t.match(messages.join(''), /The default branch is now 'trunk'/)
  await git(folder, 'clone', '-q', url, 'copy')
  t.equal(await git(join(folder, 'copy'), 'symbolic-ref', 'HEAD'), 'refs/heads/trunk')
})
