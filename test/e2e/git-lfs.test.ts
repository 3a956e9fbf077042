/** The real git-lfs against the whole server: bytes through it (file bucket), and straight to the store (MinIO). */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import type { Bucket } from '../../src/bucket/bucket.ts'
import { openS3Bucket } from '../../src/bucket/s3-bucket.ts'
import { setCollaborator } from '../../src/hub/collaborators.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { createLogger } from '../../src/logger.ts'
import { git, run, temporaryFolder, tryGit } from '../support/git.ts'
import { addPerson, addRepo, gitUrl, listen, openHouse, type Person } from '../support/house.ts'
import { startMinio } from '../support/minio.ts'

const minio = await startMinio()
t.teardown(() => minio.stop())

async function openStore(): Promise<Bucket> {
  const bucket = openS3Bucket(minio.newBucket(), createLogger('silent'))
  await bucket.probe()
  return bucket
}

const deployments: Record<string, () => Promise<((files: Bucket) => Bucket) | undefined>> = {
  'file bucket': async () => undefined,
  MinIO: async () => {
    const store = await openStore()
    return () => store
  },
}

interface Place {
  hub: Hub
  server: URL
  ada: Person
  folder: string
}

async function openPlace(t: Test, deployment: string): Promise<Place> {
  const hub = await openHouse(t, { bucket: await deployments[deployment]!() })
  return { hub, server: await listen(t, hub), ada: await addPerson(hub, 'ada'), folder: temporaryFolder(t, 'lfs') }
}

/** A clone in which git-lfs is installed as `git lfs install` does. */
async function clone({ folder }: Place, url: string, name: string): Promise<string> {
  await git(folder, 'clone', '-q', url, name)
  const work = join(folder, name)
  await git(work, 'lfs', 'install', '--local', '--force')
  return work
}

function write(work: string, path: string, bytes: Buffer | string): void {
  mkdirSync(dirname(join(work, path)), { recursive: true })
  writeFileSync(join(work, path), bytes)
}

async function commit(work: string, message: string): Promise<void> {
  await git(work, 'add', '-A')
  await git(work, 'commit', '-qm', message)
}

const files: Record<string, Buffer> = {
  'model.bin': randomBytes(12_000_000),
  'a b/ünï☃.bin': randomBytes(1000),
  'copy of model.bin': Buffer.alloc(0),
}
for (let n = 0; n < 150; n++) files[`many/${n}.bin`] = randomBytes(100 + n)

for (const deployment of Object.keys(deployments)) {
  t.test(`push, clone and pull: ${deployment}`, async (t) => {
    const place = await openPlace(t, deployment)
    await addRepo(place.hub, place.ada, 'model')
    const url = gitUrl(place.server, place.ada, 'ada/model')
    const work = await clone(place, url, 'work')
    write(work, '.gitattributes', '*.bin filter=lfs diff=lfs merge=lfs -text\n')
    for (const [path, bytes] of Object.entries(files)) write(work, path, bytes)
    await commit(work, 'weights')
    await git(work, 'push', '-q', 'origin', 'main')
    await git(work, 'push', '-q', 'origin', 'main:again')

    const open = await clone(place, gitUrl(place.server, undefined, 'ada/model.git'), 'open')
    for (const [path, bytes] of Object.entries(files)) t.ok(readFileSync(join(open, path)).equals(bytes), path)
    await git(open, 'lfs', 'fsck')

    write(work, 'model.bin', randomBytes(1_000_000))
    await commit(work, 'better weights')
    await git(work, 'push', '-q', 'origin', 'main')
    await git(open, 'pull', '-q')
    t.ok(readFileSync(join(open, 'model.bin')).equals(readFileSync(join(work, 'model.bin'))))
    t.equal(await git(open, 'status', '--porcelain'), '')
  })

  t.test(`a push without its bytes is refused: ${deployment}`, async (t) => {
    const place = await openPlace(t, deployment)
    await addRepo(place.hub, place.ada, 'model')
    const work = await clone(place, gitUrl(place.server, place.ada, 'ada/model'), 'work')
    write(work, '.gitattributes', '*.bin filter=lfs -text\n')
    write(work, 'missing bytes.bin', randomBytes(1000))
    await commit(work, 'pointer only')
    const refused = await tryGit(work, 'push', '--no-verify', 'origin', 'main')
    t.not(refused.status, 0)
    const pointer = await git(work, 'show', 'HEAD:missing bytes.bin')
    t.match(refused.stderr, 'missing bytes.bin')
    t.match(refused.stderr, /sha256:([0-9a-f]{64})/.exec(pointer)![1]!)
    t.equal(await git(work, 'ls-remote', 'origin'), '')
    await git(work, 'push', '-q', 'origin', 'main')
    t.match(await git(work, 'ls-remote', 'origin'), 'refs/heads/main')
  })
}

t.test('locks', async (t) => {
  const place = await openPlace(t, 'file bucket')
  const repo = await addRepo(place.hub, place.ada, 'model')
  const bob = await addPerson(place.hub, 'bob')
  await setCollaborator(place.hub, repo, 'bob', 'write')
  const path = 'a b/ünï☃.bin'
  const ours = await clone(place, gitUrl(place.server, place.ada, 'ada/model'), 'ours')
  write(ours, '.gitattributes', '*.bin filter=lfs -text lockable\n')
  write(ours, path, 'one')
  await commit(ours, 'one')
  await git(ours, 'push', '-q', 'origin', 'main')
  const theirs = await clone(place, gitUrl(place.server, bob, 'ada/model'), 'theirs')

  await git(ours, 'lfs', 'lock', path)
  t.match(await git(theirs, 'lfs', 'locks', '--verify'), /ünï☃\.bin\s+ada/)
  t.not((await tryGit(theirs, 'lfs', 'lock', path)).status, 0)
  await git(theirs, 'checkout', '-q', '-b', 'topic')
  await run('chmod', ['u+w', join(theirs, path)])
  write(theirs, path, 'two')
  await commit(theirs, 'two')
  await git(theirs, 'config', 'lfs.locksverify', 'true')
  const halted = await tryGit(theirs, 'push', 'origin', 'topic')
  t.not(halted.status, 0)
  t.match(halted.stderr, 'ada')
  t.not((await tryGit(theirs, 'lfs', 'unlock', path)).status, 0)
  t.not((await tryGit(theirs, 'lfs', 'unlock', '--force', path)).status, 0, 'writing is not enough to force')
  await git(ours, 'checkout', '-q', '-b', 'elsewhere')
  await git(ours, 'lfs', 'unlock', path)
  await git(theirs, 'push', '-q', 'origin', 'topic')
  t.equal(await git(theirs, 'lfs', 'locks'), '')

  await git(theirs, 'lfs', 'lock', path)
  await git(ours, 'lfs', 'unlock', '--force', path)
  t.equal(await git(ours, 'lfs', 'locks'), '')
})
