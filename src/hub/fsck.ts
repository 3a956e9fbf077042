/**
 * Checks what is at rest: every pack is read back from where it lies and compared with its checksum, its index and its
 * catalogue row; every commit, tree and tag is read, hashed, and what it names looked up; every ref's object and every LFS
 * object's bytes must be there. Deep: blobs and LFS bytes are read and hashed as well. Changes nothing; safe beside a
 * running server.
 */
import { createHash } from 'node:crypto'
import type { ByteStream } from '../bucket/bucket.ts'
import { packKey } from '../bucket/keys.ts'
import { oneChunk } from '../bucket/streams.ts'
import { type LfsBytesRow, listLfsBytes } from '../database/checks.ts'
import { listPacks, type PackRow } from '../database/packs.ts'
import type { RepoId } from '../database/queryable.ts'
import { HoldfastError, isHoldfastError } from '../errors.ts'
import { PackIndex } from '../git/pack/pack-index.ts'
import { SideCar } from '../git/pack/side-car.ts'
import { locateId } from '../git/repository.ts'
import { splitIndexFile } from '../repository/index-file.ts'
import { readTail } from './fsck-bytes.ts'
import type { Hub } from './hub.ts'
import { type Repo, repoPath } from './repo.ts'

export interface FsckOptions {
  isDeep: boolean
  /** Told of each fault as it is found, in a sentence that says where. */
  onFault(fault: string): void
}

export interface RepoCheck {
  refs: number
  packs: number
  objects: number
}

/** Checks one repository's refs, packs and objects. */
export async function checkRepo(hub: Hub, repo: Repo, options: FsckOptions): Promise<RepoCheck> {
  const where = repoPath(repo)
  const onFault = (fault: string) => options.onFault(`${where}: ${fault}`)
  const listed = await listPacks(hub.database, repo.id, [])
  const packs = listed?.packs ?? []
  for (const pack of packs) {
    const inline = listed?.inline.get(pack.id)
    const readFile = async (kind: 'pack' | 'idx') => {
      if (!pack.isInline) return await hub.bucket.get(packKey(repo.id, pack.id, kind))
      if (inline === undefined)
        throw new HoldfastError('BytesMissing', { message: 'its bytes are not in the database' })
      return oneChunk(kind === 'pack' ? inline.pack : inline.index)
    }
    await reporting(onFault, `pack ${pack.id}`, () => checkPack(pack, readFile))
  }
  const check: RepoCheck = { refs: 0, packs: packs.length, objects: 0 }
  await reporting(onFault, 'refs', async () => {
    const { refs, headTarget } = await hub.repositories.refs(repo)
    check.refs = refs.length
    check.objects = await hub.repositories.checkObjects(repo, { isDeep: options.isDeep, onFault })
    await hub.repositories.withObjects(repo, async (objects) => {
      for (const { name, id, peeledId } of refs) {
        for (const objectId of peeledId === undefined ? [id] : [id, peeledId]) {
          if (locateId(objects, objectId) < 0) onFault(`${name} names ${objectId}, which is missing`)
        }
      }
    })
    const hasHead = refs.length === 0 || (headTarget !== undefined && refs.get(headTarget) !== undefined)
    return hasHead ? undefined : `HEAD names ${headTarget}, which does not exist; repo default-branch changes it`
  })
  return check
}

/** Checks that the bytes of LFS objects are there: those of one repository, or all. Returns how many it looked at. */
export async function checkLfsObjects(hub: Hub, repoId: RepoId | undefined, options: FsckOptions): Promise<number> {
  let count = 0
  let afterOid = ''
  for (;;) {
    const rows = await listLfsBytes(hub.database, { repoId, afterOid, rowsMax: hub.config.limits.listPageMax })
    for (const row of rows) {
      await reporting(options.onFault, `LFS object ${row.lfsOid}`, () => checkLfsBytes(hub, row, options.isDeep))
    }
    count += rows.length
    if (rows.length < hub.config.limits.listPageMax) return count
    afterOid = rows[rows.length - 1].lfsOid
  }
}

/** What is wrong with the bytes of something, in a few words; undefined for nothing. */
type Verdict = string | undefined

/** Reports a verdict, or an expected failure, such as missing bytes, and goes on. */
async function reporting(onFault: (fault: string) => void, what: string, check: () => Promise<Verdict>): Promise<void> {
  try {
    const verdict = await check()
    if (verdict !== undefined) onFault(`${what}: ${verdict}`)
  } catch (error) {
    if (!isHoldfastError(error) || error.code === 'Unavailable') throw error
    onFault(`${what}: ${error.message}`)
  }
}

async function checkPack(row: PackRow, readFile: (kind: 'pack' | 'idx') => Promise<ByteStream>): Promise<Verdict> {
  const sha1 = createHash('sha1')
  const { sizeBytes, tail } = await readTail(await readFile('pack'), {
    tailBytes: 20,
    onBytes: (bytes) => sha1.update(bytes),
  })
  if (sizeBytes !== row.packBytes) return `it has ${sizeBytes} bytes, and its row says ${row.packBytes}`
  if (!sha1.digest().equals(tail)) return 'its bytes do not match its checksum'
  if (!tail.equals(row.checksum)) return 'its checksum is not the one of its row'
  const chunks: Uint8Array[] = []
  for await (const chunk of await readFile('idx')) chunks.push(chunk)
  const beside = splitIndexFile(Buffer.concat(chunks), row.indexBytes)
  const index = new PackIndex(beside.index)
  if (!index.packChecksum.equals(tail)) return 'its index belongs to another pack'
  if (index.objectCount !== row.objectCount) {
    return `its index lists ${index.objectCount} objects, and its row says ${row.objectCount}`
  }
  if (beside.sideCar !== undefined) new SideCar(beside.sideCar, index)
  return undefined
}

async function checkLfsBytes(hub: Hub, { lfsOid, sizeBytes, key }: LfsBytesRow, isDeep: boolean): Promise<Verdict> {
  const stat = await hub.bucket.stat(key)
  if (stat === undefined) return `its bytes, ${key}, are not in the bucket`
  if (stat.sizeBytes !== sizeBytes) return `it has ${stat.sizeBytes} bytes, and its row says ${sizeBytes}`
  if (!isDeep) return undefined
  const sha256 = createHash('sha256')
  for await (const chunk of await hub.bucket.get(key)) sha256.update(chunk)
  return sha256.digest('hex') === lfsOid ? undefined : 'its bytes have another SHA-256'
}
