/** Checks every object of an opened object database: its id is the hash of its content, and what it names is there. */
import { createHash } from 'node:crypto'
import { isHoldfastError } from '../../errors.ts'
import { commitIds } from '../commit.ts'
import { fairLoop } from '../fair-loop.ts'
import { hashObject } from '../hash-object.ts'
import { idBytes } from '../object-id.ts'
import { type GitObject, locateId, type ObjectDatabase, type Ordinal } from '../repository.ts'
import { parseTag } from '../tag.ts'
import { isGitlink, TreeCursor } from '../tree.ts'
import { findFault } from './check-objects.ts'
import { hostedSettings } from './settings.ts'

export interface ObjectCheckOptions {
  /** Reads and hashes blobs as well. */
  isDeep: boolean
  onFault(fault: string): void
}

/** Returns how many objects there are. */
export async function checkObjects(objects: ObjectDatabase, options: ObjectCheckOptions): Promise<number> {
  const pause = fairLoop()
  let count = 0
  for (let ordinal = 0; ordinal < objects.ordinalCount; ordinal++) {
    if (pause.due()) await pause.now()
    const id = objects.idOf(ordinal)
    // A copy of an object that is known by another copy; packs themselves are checked byte by byte.
    if (locateId(objects, id) !== ordinal) continue
    count++
    try {
      const fault = await findObjectFault(objects, ordinal, options)
      if (fault !== undefined) options.onFault(`object ${id} ${fault}`)
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      options.onFault(`object ${id} cannot be read: ${error.message}`)
    }
  }
  return count
}

async function findObjectFault(
  objects: ObjectDatabase,
  ordinal: Ordinal,
  { isDeep }: ObjectCheckOptions,
): Promise<string | undefined> {
  const { type, sizeBytes } = objects.stat(ordinal)
  if (type === 'blob') return isDeep ? await findBlobFault(objects, ordinal, sizeBytes) : undefined
  const object = objects.read(ordinal)
  if (hashObject({ type, data: object.data }) !== objects.idOf(ordinal)) return 'has other content than its id says'
  return findFault(type, object.data, hostedSettings) ?? findMissingName(objects, object)
}

async function findBlobFault(
  objects: ObjectDatabase,
  ordinal: Ordinal,
  sizeBytes: number,
): Promise<string | undefined> {
  const hash = createHash('sha1').update(`blob ${sizeBytes}\0`)
  for await (const piece of objects.stream(ordinal)) hash.update(piece)
  return hash.digest('hex') === objects.idOf(ordinal) ? undefined : 'has other content than its id says'
}

function findMissingName(objects: ObjectDatabase, { type, data }: GitObject): string | undefined {
  if (type === 'tree') return findMissingEntry(objects, data)
  const ids = type === 'commit' ? commitIds(data) : Buffer.from(parseTag(data).objectId, 'hex')
  for (let at = 0; at < ids.length; at += idBytes) {
    if (objects.locate(ids, at) < 0) return missing(type, ids, at)
  }
  return undefined
}

function findMissingEntry(objects: ObjectDatabase, data: Buffer): string | undefined {
  const cursor = new TreeCursor(data)
  while (cursor.next()) {
    // A submodule's commit lies in another repository.
    if (!isGitlink(cursor.mode) && objects.locate(data, cursor.idAt) < 0) return missing('tree', data, cursor.idAt)
  }
  return undefined
}

function missing(type: string, ids: Buffer, at: number): string {
  return `(a ${type}) names ${ids.toString('hex', at, at + idBytes)}, which is missing`
}
