/**
 * Makes a thin pack self-contained, as `git index-pack --fix-thin` does, since packs on disk must be: the bases that lie
 * elsewhere are appended, then the object count at its beginning and the checksum at its end are written anew.
 */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { crc32, deflateSync } from 'node:zlib'
import { fairLoop } from '../git/fair-loop.ts'
import { idBytes, objectIdAt } from '../git/object-id.ts'
import {
  entryHeaderMaxBytes,
  packHeaderBytes,
  packTrailerBytes,
  typeCodes,
  writeEntryHeader,
  writePackHeader,
} from '../git/pack/format.ts'
import { IdSet } from '../git/pack/id-set.ts'
import { writePackIndex } from '../git/pack/index-format.ts'
import type { PackBytes } from '../git/pack/pack-bytes.ts'
import { PackFile } from '../git/pack/pack-file.ts'
import { PackIndex } from '../git/pack/pack-index.ts'
import type { ObjectDatabase } from '../git/repository.ts'
import { writeAt } from './write-at.ts'

const pieceBytes = 1024 * 1024

/** A pack on disk, with the bytes of its index. */
export interface StoredPack {
  file: FileHandle
  /** Reads what `file` holds. */
  bytes: PackBytes
  index: Buffer
}

/** Returns the bytes of the new index. `existing` has the bases. */
export async function completePack(pack: StoredPack, existing: ObjectDatabase): Promise<Buffer> {
  const index = new PackIndex(pack.index)
  const bases = await findOutsideBases(new PackFile(index, pack.bytes, true), index)
  const objectCount = index.objectCount + bases.size
  const entries = copyEntries(index, objectCount)
  let end = pack.bytes.sizeBytes - packTrailerBytes
  for (let number = 0; number < bases.size; number++) {
    const entry = index.objectCount + number
    bases.ids.copy(entries.ids, entry * idBytes, number * idBytes, (number + 1) * idBytes)
    const bytes = wholeEntry(existing, bases.ids, number * idBytes)
    entries.offsets[entry] = end
    entries.crcs[entry] = crc32(bytes)
    await writeAt(pack.file, bytes, end)
    end += bytes.length
  }
  const header = writePackHeader(objectCount)
  await writeAt(pack.file, header.subarray(0, packHeaderBytes), 0)
  const checksum = await hashFile(pack.file, end)
  await writeAt(pack.file, checksum.subarray(0, packTrailerBytes), end)
  return writePackIndex(entries, checksum)
}

/** Ids that deltas name as their base and that are not in the pack. */
async function findOutsideBases(pack: PackFile, index: PackIndex): Promise<IdSet> {
  const bases = new IdSet()
  const pause = fairLoop()
  for (const position of index.positionsByOffset()) {
    const { baseId } = pack.entryAt(position)
    if (baseId !== undefined && index.find(baseId) < 0) bases.add(baseId, 0)
    if (pause.due()) await pause.now()
  }
  return bases
}

function copyEntries(index: PackIndex, objectCount: number) {
  const entries = {
    objectCount,
    ids: Buffer.alloc(objectCount * idBytes),
    crcs: new Uint32Array(objectCount),
    offsets: new Float64Array(objectCount),
  }
  index.ids.copy(entries.ids)
  for (let position = 0; position < index.objectCount; position++) {
    entries.crcs[position] = index.crcAt(position)
    entries.offsets[position] = index.offsetAt(position)
  }
  return entries
}

function wholeEntry(objects: ObjectDatabase, ids: Buffer, at: number): Buffer {
  const ordinal = objects.locate(ids, at)
  if (ordinal < 0) throw new Error(`The delta base ${objectIdAt(ids, at)} has gone.`)
  const { type, data } = objects.read(ordinal)
  const header = Buffer.allocUnsafe(entryHeaderMaxBytes)
  const headerBytes = writeEntryHeader(header, 0, typeCodes[type], data.length)
  return Buffer.concat([header.subarray(0, headerBytes), deflateSync(data)])
}

async function hashFile(file: FileHandle, end: number): Promise<Buffer> {
  const hash = createHash('sha1')
  const piece = Buffer.allocUnsafe(Math.min(pieceBytes, end))
  for (let position = 0; position < end; ) {
    const { bytesRead } = await file.read(piece, 0, Math.min(piece.length, end - position), position)
    if (bytesRead === 0) throw new Error('A pack on disk ended before what was written to it.')
    hash.update(piece.subarray(0, bytesRead))
    position += bytesRead
  }
  return hash.digest()
}
