/** Clones from a server whose local cache is empty: sent while the packs come from the bucket, each byte of them once. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Bucket, ByteStream } from '../../src/bucket/bucket.ts'
import { openDisk } from '../../src/disk/local-disk.ts'
import { HoldfastError } from '../../src/errors.ts'
import { compactRepo } from '../../src/hub/compact.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { ReceiveMemory } from '../../src/repository/receive-memory.ts'
import { createRepositories } from '../../src/repository/repositories.ts'
import { git, temporaryFolder } from '../support/git.ts'
import { addPerson, addRepo, gitUrl, listen, openHouse } from '../support/house.ts'
import { openWorkers } from '../support/workers.ts'

const rangeBytes = 8 * 1024 * 1024

/** A bucket that is no local folder, what is asked of its packs, and a gate before all but their first ranges. */
function gated(files: Bucket) {
  const asked: string[] = []
  const open = new Set<object>()
  let gate = Promise.resolve()
  const bucket: Bucket = {
    ...files,
    openFile: async () => undefined,
    get: async (key, range) => {
      const bytes = await files.get(key, range)
      if (!key.endsWith('.pack')) return bytes
      asked.push(`${range?.start ?? 'whole'}`)
      return (range?.start ?? 0) < rangeBytes ? bytes : behind(bytes)
    },
  }
  function behind(bytes: ByteStream): ByteStream {
    const left = Promise.withResolvers<void>()
    const waiting = gate
    const source = (async function* () {
      await Promise.race([waiting, left.promise])
      yield* bytes
    })()
    open.add(source)
    return Object.assign(source, {
      return: async () => {
        open.delete(source)
        left.resolve()
        await bytes[Symbol.asyncIterator]().return?.()
        return { done: true as const, value: undefined }
      },
    })
  }
  return {
    bucket,
    asked,
    open,
    hold: () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      promise.catch(() => {})
      gate = promise
      const release = (error?: Error) => {
        gate = Promise.resolve()
        if (error === undefined) resolve()
        else reject(error)
      }
      t.teardown(() => release())
      return release
    },
  }
}

/** A repository of four files of 8 MiB, a text of 30 commits and tags of them; and servers that know nothing of it yet. */
async function openScene(t: Test, { isCompacted }: { isCompacted: boolean }) {
  let gate = gated({} as Bucket)
  const limits = { clonePackObjectsMin: 0, clonePackBytesMin: 0, compactionPacksMin: 1_000 }
  const hub = await openHouse(t, {
    limits,
    bucket: (files) => {
      gate = gated(files)
      return gate.bucket
    },
  })
  const ada = await addPerson(hub, 'ada')
  const repo = await addRepo(hub, ada, 'model')
  const folder = temporaryFolder(t, 'cold')
  const origin = await makeOrigin(join(folder, 'origin'))
  await git(origin, 'push', '--quiet', '--mirror', gitUrl(await listen(t, hub), ada, 'ada/model'))
  if (isCompacted) await compactRepo(hub, repo.id)
  gate.asked.length = 0
  let clones = 0
  return {
    ...gate,
    origin,
    list: await listOf(origin),
    /** The address of the repository on a server with an empty disk. */
    async startCold() {
      const cold = await coldHub(t, hub, temporaryFolder(t, 'cold-disk'))
      return gitUrl(await listen(t, cold), ada, 'ada/model')
    },
    async clone(url: string, ...args: string[]) {
      const copy = join(folder, `copy-${clones++}`)
      await git(folder, 'clone', '--quiet', '--bare', ...args, url, copy)
      await git(copy, 'fsck', '--strict', '--no-dangling')
      return copy
    },
  }
}

const listOf = (folder: string) => git(folder, 'rev-list', '--objects', '--all')

async function coldHub(t: Test, hub: Hub, folder: string): Promise<Hub> {
  const { database, bucket, config } = hub
  const disk = await openDisk({ folder, cacheMaxBytes: 2 ** 30, spoolMaxBytes: 2 ** 30 })
  const receiveMemory = new ReceiveMemory(config.limits.receiveMemoryMaxBytes)
  const workers = openWorkers(t, 1)
  const repositories = createRepositories({ database, bucket, disk, workers, receiveMemory, limits: config.limits })
  t.teardown(async () => {
    repositories.close()
    await disk.close()
  })
  // A database of its own to the answers that a server keeps.
  return { ...hub, database: { ...database, query: database.query.bind(database) }, repositories }
}

async function makeOrigin(folder: string): Promise<string> {
  await git('.', 'init', '--quiet', '--initial-branch=main', folder)
  for (let number = 0; number < 30; number++) {
    if (number < 4) await writeFile(join(folder, `weights-${number}.bin`), randomBytes(rangeBytes - 20_000))
    await writeFile(join(folder, 'notes.txt'), `${number}\n`.repeat(1_000))
    await git(folder, 'add', '--all')
    await git(folder, 'commit', '--quiet', '--message', `Number ${number}`)
    if (number % 10 === 0) await git(folder, 'tag', '--annotate', '--message', 'A tag', `v${number}`)
  }
  return folder
}

t.test('by the clone pack', async (t) => {
  const scene = await openScene(t, { isCompacted: true })

  t.test('several at once, and one later: each range is asked for once', async (t) => {
    const url = await scene.startCold()
    for (const copy of await Promise.all([1, 2, 3].map(() => scene.clone(url)))) t.equal(await listOf(copy), scene.list)
    t.same(
      scene.asked.map(Number).sort((a, b) => a - b),
      [0, 1, 2, 3].map((at) => at * rangeBytes),
    )
    for (const args of [[], ['--filter=blob:none'], ['--depth=3']]) await scene.clone(url, ...args)
    t.equal(scene.asked.length, 4)
  })

  t.test('commits and trees come before the rest of the pack has', async (t) => {
    const url = await scene.startCold()
    const release = scene.hold()
    const copy = await scene.clone(url, '--filter=tree:0')
    t.equal((await git(copy, 'rev-list', '--count', 'main')).trim(), '30')
    release()
    t.equal(await listOf(await scene.clone(url)), scene.list)
  })

  t.test('a client that leaves ends what nobody else waits for', async (t) => {
    const url = await scene.startCold()
    const release = scene.hold()
    scene.asked.length = 0
    const clients = [new AbortController(), new AbortController()]
    const readers = []
    for (const { signal } of clients) readers.push(await beginClone(url, scene.origin, signal))
    t.equal(scene.open.size, 3)
    clients[0].abort()
    await readers[0].gone
    t.equal(scene.open.size, 3, 'the other one still reads')
    clients[1].abort()
    await readers[1].gone
    while (scene.open.size > 0) await new Promise(setImmediate)
    release()
    t.equal(await listOf(await scene.clone(url)), scene.list)
    t.equal(scene.asked.length, 8, 'from the beginning')
  })

  t.test('a bucket that fails in the middle', async (t) => {
    const url = await scene.startCold()
    const release = scene.hold()
    const { readRest } = await beginClone(url, scene.origin, new AbortController().signal)
    release(new HoldfastError('Unavailable', { message: 'The store is away.' }))
    t.ok((await readRest()).endsWith('\x03The store is away.'), 'told in band 3, and no flush behind it')
    t.equal(await listOf(await scene.clone(url)), scene.list, 'the next one is served')
  })
})

t.test('by packs as they were pushed', async (t) => {
  const scene = await openScene(t, { isCompacted: false })
  const url = await scene.startCold()
  for (const copy of await Promise.all([1, 2].map(() => scene.clone(url)))) t.equal(await listOf(copy), scene.list)
  t.equal(new Set(scene.asked).size, scene.asked.length, 'each range once')
  await scene.clone(url, '--depth=2')
})

/** Asks for everything and reads a little; `gone` settles when the server has ended the answer. */
async function beginClone(url: string, origin: string, signal: AbortSignal) {
  const { origin: server, pathname, username, password } = new URL(url)
  const tip = (await git(origin, 'rev-parse', 'main')).trim()
  const packet = (text: string) => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`
  const response = await fetch(`${server}${pathname}/git-upload-pack`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`${username}:${password}`)}`,
      'git-protocol': 'version=2',
      'content-type': 'application/x-git-upload-pack-request',
    },
    body: `${packet('command=fetch')}0001${packet('ofs-delta')}${packet(`want ${tip}`)}${packet('include-tag')}${packet('done')}0000`,
    signal,
  })
  const reader = response.body!.getReader()
  await reader.read()
  return {
    gone: reader.closed.catch(() => {}),
    async readRest() {
      const chunks: Uint8Array[] = []
      for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value)
      return Buffer.concat(chunks).toString('latin1')
    },
  }
}
