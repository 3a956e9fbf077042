/** Inflated objects that are likely to be asked for again: delta bases, trees and commits, of all packs together. */
import { LRUCache } from 'lru-cache'
import type { GitObject } from '../repository.ts'

const cacheMaxBytes = 96 * 1024 * 1024
const objectMaxBytes = 1024 * 1024
const overheadBytes = 200
// A pack holds fewer than 2^26 objects (gitPackMaxObjects), so pack number and position share one exact number.
const positionsPerPack = 2 ** 26

const cache = new LRUCache<number, GitObject>({
  maxSize: cacheMaxBytes,
  sizeCalculation: (object) => object.data.length + overheadBytes,
})

/** The object at `position` of the pack that carries this number; undefined if it is not held. */
export function cachedObject(packNumber: number, position: number): GitObject | undefined {
  return cache.get(packNumber * positionsPerPack + position)
}

/** Keeps an object, unless it is too large to be worth it. */
export function cacheObject(packNumber: number, position: number, object: GitObject): void {
  if (object.data.length <= objectMaxBytes) cache.set(packNumber * positionsPerPack + position, object)
}
