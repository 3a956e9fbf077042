/** An empty hosted repository without rules and doors: packs go in and objects come out. */
import { hash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { openFileBucket } from '../../src/bucket/file-bucket.ts'
import { type Limits, readConfig } from '../../src/config.ts'
import { listPacks } from '../../src/database/packs.ts'
import { commitPush } from '../../src/database/push-queue.ts'
import { openDisk } from '../../src/disk/local-disk.ts'
import { formatFreshPack } from '../../src/git/pack/fresh-pack.ts'
import type { GitObject } from '../../src/git/repository.ts'
import { ReceiveMemory } from '../../src/repository/receive-memory.ts'
import { createRepositories, type RepositoryVersion } from '../../src/repository/repositories.ts'
import { temporaryFolder } from './git.ts'
import { createTestDatabase } from './postgres.ts'
import { insertRepoRow } from './repo-row.ts'
import { workersHere } from './workers.ts'

export async function openRepositories(t: Parameters<typeof createTestDatabase>[0], changed: Partial<Limits> = {}) {
  const { database } = await createTestDatabase(t)
  const folder = temporaryFolder(t, 'repositories')
  const bucket = openFileBucket(join(folder, 'bucket'))
  await bucket.probe()
  const disk = await openDisk({ folder: join(folder, 'cache'), cacheMaxBytes: 2 ** 30, spoolMaxBytes: 2 ** 30 })
  const limits = { ...readConfig({}).limits, ...changed }
  const receiveMemory = new ReceiveMemory(limits.receiveMemoryMaxBytes)
  const repositories = createRepositories({ database, bucket, disk, workers: workersHere(), receiveMemory, limits })
  t.teardown(async () => {
    repositories.close()
    await disk.close()
  })
  const { repoId } = await insertRepoRow(database)
  return { repositories, database, bucket, disk, folder, repoId }
}

type House = Awaited<ReturnType<typeof openRepositories>>

/** The repository's row as a request that begins now would read it. */
export async function findNewestRepo({ database, repoId }: House): Promise<RepositoryVersion> {
  const listed = await listPacks(database, repoId)
  return { id: repoId, refsVersion: '0', packsVersion: listed?.packsVersion ?? '0' }
}

export interface Blob extends GitObject {
  idBytes: Buffer
}

/** Different blobs; the first is `data` if it is given. */
export function makeBlobs(count: number, data?: Buffer): Blob[] {
  return Array.from({ length: count }, (_, number) => {
    const content = number === 0 && data !== undefined ? data : Buffer.from(`blob ${number}\n`.repeat(number + 1))
    const id = hash('sha1', Buffer.concat([Buffer.from(`blob ${content.length}\0`), content]), 'buffer')
    return { type: 'blob' as const, data: content, idBytes: id }
  })
}

/** Takes a pack of the blobs in, the whole way. */
export async function pushBlobs(house: House, blobs: readonly Blob[]): Promise<void> {
  const bytes = Readable.from([formatFreshPack(blobs)])
  const quarantine = await house.repositories.receivePack(await findNewestRepo(house), bytes, {})
  await quarantine.upload()
  const command = { name: `refs/blobs/${randomUUID()}`, oldId: undefined, newId: '1'.repeat(40), peeledId: undefined }
  const pack = { row: quarantine.row, claims: [], isAdmin: false, allowMissingLfs: false }
  const push = { repoId: house.repoId, actorId: undefined, commands: [command], atomic: false, rulesVersion: '0', pack }
  await commitPush(house.database, push)
  quarantine.release()
}
