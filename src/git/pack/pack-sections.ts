/**
 * The sections of a pack: commits and tags first, then trees, then blobs. Since a delta is of its base's type, a pack cut
 * behind a section is whole in itself. (git's own packs mix trees and blobs.)
 */
import type { PackSections } from '../repository.ts'
import { typeCodes } from './format.ts'

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
