/** Repositories larger than the local disk may hold: everything works, and the cache keeps within its bound. */
import { randomBytes } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Bucket } from '../../src/bucket/bucket.ts'
import { openS3Bucket } from '../../src/bucket/s3-bucket.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { operator } from '../../src/hub/principal.ts'
import { createLogger } from '../../src/logger.ts'
import { git, run, temporaryFolder } from '../support/git.ts'
import { addPerson, addRepo, gitUrl, type HouseOptions, listen, openHouse } from '../support/house.ts'
import { startMinio } from '../support/minio.ts'

const cacheMaxBytes = 512 * 1024
const limits = { packBlockBytes: 32 * 1024, packBlocksHeldMaxBytes: 1024 * 1024, receivedHereMaxBytes: 10_000 }

/** Counts the bytes that are read of packs, whole and in ranges. */
function counting(bucket: Bucket) {
  const read = { whole: 0, ranges: 0 }
  const counted: Bucket = {
    ...bucket,
    openFile: async () => undefined,
    get: async (key, range) => {
      if (key.endsWith('.pack')) read[range === undefined ? 'whole' : 'ranges']++
      return await bucket.get(key, range)
    },
  }
  return { read, counted }
}

/** 40 commits, each with a file of 50 KB that nothing compresses and a line more in a text. */
async function makeOrigin(folder: string): Promise<string> {
  await git('.', 'init', '--quiet', '--initial-branch=main', folder)
  let text = ''
  for (let number = 0; number < 40; number++) {
    text += `${randomBytes(60).toString('hex')}\n`
    await writeFile(join(folder, 'notes.txt'), text)
    await writeFile(join(folder, `weights-${number}.bin`), randomBytes(50_000))
    await git(folder, 'add', '--all')
    await git(folder, 'commit', '--quiet', '--message', `Number ${number}`)
  }
  return folder
}

/** A hosted repository whose pack is far larger than the cache. */
async function openScene(t: Test, bucketOf: NonNullable<HouseOptions['bucket']>) {
  let read = { whole: 0, ranges: 0 }
  const bucket = (files: Bucket) => {
    const { counted, read: counts } = counting(bucketOf(files))
    read = counts
    return counted
  }
  const hub = await openHouse(t, { threads: 1, cacheMaxBytes, limits, bucket })
  const ada = await addPerson(hub, 'ada')
  await addRepo(hub, ada, 'model')
  const server = await listen(t, hub)
  const remote = gitUrl(server, ada, 'ada/model')
  const folder = temporaryFolder(t, 'blocks')
  const origin = await makeOrigin(join(folder, 'origin'))
  await git(origin, 'push', '--quiet', '--mirror', remote)
  const cacheBytes = () => {
    const cache = join(hub.config.dataDir, 'cache', 'cache')
    return readdirSync(cache).reduce((sum, name) => sum + statSync(join(cache, name)).size, 0)
  }
  const ask = async (path: string) => await fetch(new URL(path, server), { headers: ada.headers })
  return { hub, remote, folder, origin, cacheBytes, ask, read }
}

async function useAll(t: Test, scene: Awaited<ReturnType<typeof openScene>>) {
  const { remote, folder, origin, cacheBytes, ask, read } = scene
  const list = ['rev-list', '--objects', '--all']

  t.test('clone', async (t) => {
    const copy = join(folder, 'copy.git')
    await git(folder, 'clone', '--quiet', '--mirror', remote, copy)
    t.equal((await run('git', ['fsck', '--no-dangling'], { cwd: copy })).status, 0)
    t.equal(await git(copy, ...list), await git(origin, ...list))
    t.ok(cacheBytes() <= cacheMaxBytes, `${cacheBytes()} bytes in the cache`)
    t.equal(read.whole, 0, 'no pack was brought whole')
    t.ok(read.ranges > 0)
  })

  t.test('fetch', async (t) => {
    const copy = join(folder, 'behind.git')
    await git(folder, 'init', '--quiet', '--bare', copy)
    await git(origin, 'push', '--quiet', copy, 'main~10:refs/heads/main')
    await git(copy, 'fetch', '--quiet', remote, 'main:main')
    t.equal(await git(copy, 'rev-list', '--objects', 'main'), await git(origin, 'rev-list', '--objects', 'main'))
    t.ok(cacheBytes() <= cacheMaxBytes)
  })

  t.test('push of a thin pack, small and large', async (t) => {
    const work = join(folder, 'work')
    await git(folder, 'clone', '--quiet', remote, work)
    for (const [number, sizeBytes] of [100, 50_000].entries()) {
      await writeFile(join(work, 'notes.txt'), `${await git(work, 'show', 'HEAD:notes.txt')}more\n`)
      await writeFile(join(work, `new-${number}.bin`), randomBytes(sizeBytes))
      await git(work, 'add', '--all')
      await git(work, 'commit', '--quiet', '--message', `Push ${sizeBytes}`)
      await git(work, 'push', '--quiet', 'origin', 'HEAD:main')
      const copy = join(folder, `pushed-${number}`)
      await git(folder, 'clone', '--quiet', '--bare', remote, copy)
      t.equal(await git(copy, 'rev-list', '--objects', 'main'), await git(work, 'rev-list', '--objects', 'HEAD'))
    }
  })

  t.test('checking and compaction', async (t) => {
    const { hub } = scene
    const repo = await openRepo(hub, operator, { type: 'model', namespace: 'ada', name: 'model' }, 'read')
    const faults: string[] = []
    const count = await hub.repositories.checkObjects(repo, { isDeep: true, onFault: (fault) => faults.push(fault) })
    t.ok(count > 120)
    t.same(faults, [])
    const { mergedPacks } = await hub.repositories.compact(repo.id)
    t.ok(mergedPacks > 1)
    const copy = join(folder, 'compacted.git')
    await git(folder, 'clone', '--quiet', '--mirror', remote, copy)
    t.equal((await run('git', ['fsck', '--no-dangling'], { cwd: copy })).status, 0)
    t.equal(read.whole, 0)
    t.ok(cacheBytes() <= cacheMaxBytes, `${cacheBytes()} bytes in the cache`)
  })

  t.test('the API: the tree, a file, an abbreviated commit', async (t) => {
    const tree = await (await ask('/api/models/ada/model/tree/main?recursive=true')).json()
    t.equal((tree as unknown[]).length, 43)
    const file = await ask('/ada/model/resolve/main/weights-7.bin')
    t.ok(Buffer.from(await file.arrayBuffer()).equals(await readFile(join(origin, 'weights-7.bin'))))
    const commitId = (await git(origin, 'rev-parse', 'main~20')).trim()
    const old = await ask(`/ada/model/resolve/${commitId.slice(0, 12)}/notes.txt`)
    t.equal(await old.text(), (await run('git', ['show', `${commitId}:notes.txt`], { cwd: origin })).stdout)
    t.ok(cacheBytes() <= cacheMaxBytes)
    t.equal(read.whole, 0)
  })
}

t.test('in a folder that is no local file', async (t) => {
  await useAll(t, await openScene(t, (files) => files))
})

t.test('in MinIO', async (t) => {
  const minio = await startMinio()
  t.teardown(() => minio.stop())
  const bucket = openS3Bucket(minio.newBucket(), createLogger('silent'))
  await bucket.probe()
  await useAll(t, await openScene(t, () => bucket))
})
