/**
 * The sections of a pack: commits and tags first, then trees, then blobs. Since a delta is of its base's type, a pack cut
 * behind a section is whole in itself. (git's own packs mix trees and blobs.)
 */
import { createHash } from 'node:crypto'
import type { PackSection, PackSections } from '../repository.ts'
import { packHeaderBytes, packInvalid, typeCodes, writePackHeader } from './format.ts'
import type { PackBytes } from './pack-bytes.ts'

const hashedAtOnceBytes = 256 * 1024

interface EntriesInOrder {
  count: number
  /** Resolved type codes, and offsets, in the order in which the entries lie. */
  types: Uint8Array
  offsets: Float64Array
}

/** Where the sections of the entries end; undefined where types are mixed. `endOffset` is that of the trailer. */
export function findSections({ count, types, offsets }: EntriesInOrder, endOffset: number): PackSections | undefined {
  let entry = 0
  const takeWhile = (belongs: (type: number) => boolean) => {
    while (entry < count && belongs(types[entry])) entry++
    return { objectCount: entry, end: entry < count ? offsets[entry] : endOffset }
  }
  const history = takeWhile((type) => type === typeCodes.commit || type === typeCodes.tag)
  const trees = takeWhile((type) => type === typeCodes.tree)
  const blobs = takeWhile((type) => type === typeCodes.blob)
  return entry === count ? { history, trees, blobs } : undefined
}

/** With the checksums of the two that are sent alone, so that no clone has to hash what it sends. */
export function withChecksums(sections: PackSections, pack: Pick<PackBytes, 'readSync'>): PackSections {
  const [history, trees] = [sections.history, sections.trees].map((section) => {
    return { ...section, checksum: checksumOf(section, pack) }
  })
  return { ...sections, history, trees }
}

function checksumOf({ objectCount, end }: PackSection, pack: Pick<PackBytes, 'readSync'>): Buffer {
  const hash = createHash('sha1').update(writePackHeader(objectCount))
  const bytes = Buffer.allocUnsafe(hashedAtOnceBytes)
  for (let at = packHeaderBytes; at < end; ) {
    const length = pack.readSync(bytes, 0, Math.min(bytes.length, end - at), at)
    if (length === 0) throw packInvalid('it ends too early', at)
    hash.update(bytes.subarray(0, length))
    at += length
  }
  return hash.digest()
}
