/** The two adapters under the engine's ports: a hosted repository, and one on disk. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Test } from 'tap'
import { openBareRepository } from '../../src/bare/bare-repository.ts'
import { bareFetchHost } from '../../src/bare/fetch.ts'
import { localLimits } from '../../src/bare/limits.ts'
import { barePushHost } from '../../src/bare/push.ts'
import type { FetchHost, PushHost, PushReport } from '../../src/git/host.ts'
import type { ObjectId } from '../../src/git/object-id.ts'
import type { ObjectDatabase, RefCommand, RefSnapshot } from '../../src/git/repository.ts'
import { fetchHost } from '../../src/hub/fetch.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { anonymous, operator } from '../../src/hub/principal.ts'
import { pushHost } from '../../src/hub/push.ts'
import { git, temporaryFolder } from './git-client.ts'
import { addPerson, addRepo, openHouse } from './house.ts'

/** An empty repository, seen anew by every request. */
export interface Adapted {
  withHosts<T>(use: (hosts: FetchHost & PushHost) => Promise<T>): Promise<T>
}

export interface PushOptions {
  atomic?: boolean
  /** The bytes of a pack. */
  pack?: Buffer
}

export const adapters: Record<string, (t: Test) => Promise<Adapted>> = {
  async hosted(t) {
    const hub = await openHouse(t)
    const ada = await addPerson(hub, 'ada')
    const { type, namespace, name } = await addRepo(hub, ada, 'model')
    return {
      async withHosts(use) {
        const repo = await openRepo(hub, operator, { type, namespace, name }, 'admin')
        return await use({ ...fetchHost(hub, repo), ...pushHost(hub, anonymous, repo) })
      },
    }
  },
  async bare(t) {
    const path = join(temporaryFolder(t), 'model.git')
    await git('/', 'init', '-q', '--bare', '-b', 'main', path)
    return {
      async withHosts(use) {
        const repository = await openBareRepository(path)
        try {
          const push = barePushHost(repository, { limits: localLimits, directory: path })
          return await use({ ...push, ...bareFetchHost(repository, { version: 2, isStateless: true }) })
        } finally {
          repository.close()
        }
      },
    }
  },
}

export function push(
  adapted: Adapted,
  commands: readonly RefCommand[],
  { atomic = false, pack }: PushOptions = {},
): Promise<PushReport> {
  const { signal } = new AbortController()
  const isPackSent = commands.some(({ newId }) => newId !== undefined)
  return adapted.withHosts((hosts) =>
    hosts.push({
      commands,
      atomic,
      pushOptions: [],
      pack: isPackSent ? oneChunk(pack ?? emptyPack) : undefined,
      progress: () => {},
      signal,
    }),
  )
}

export function readRefs(adapted: Adapted): Promise<RefSnapshot> {
  return adapted.withHosts((hosts) => hosts.refs())
}

export function withObjects<T>(adapted: Adapted, use: (objects: ObjectDatabase) => Promise<T>): Promise<T> {
  return adapted.withHosts(async (hosts) => {
    await hosts.refs()
    let result: T
    const stream = hosts.streamObjects(async function* (objects) {
      result = await use(objects)
      yield Buffer.alloc(0)
    })
    for await (const _ of stream);
    return result!
  })
}

/** Everything that the refs of the repository at `path` lead to, as one pack. */
export function packOf(path: string): Buffer {
  const { stdout, status } = spawnSync('git', ['pack-objects', '--all', '--stdout', '-q'], {
    cwd: path,
    input: '',
    maxBuffer: 2 ** 28,
  })
  if (status !== 0) throw new Error('pack-objects failed')
  return stdout
}

export async function refCommandsOf(path: string): Promise<RefCommand[]> {
  const lines = (await git(path, 'for-each-ref', '--format=%(objectname) %(refname)')).split('\n')
  return lines.map((line) => ({ name: line.slice(41), oldId: undefined, newId: line.slice(0, 40) as ObjectId }))
}

const emptyPack = Buffer.from('5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e', 'hex')

async function* oneChunk(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}
