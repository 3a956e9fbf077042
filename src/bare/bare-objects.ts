/** A bare repository's objects on disk, its alternates' included: packs first, then what is loose, as one database. */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { HoldfastError } from '../errors.ts'
import { idBytes, type ObjectId, objectIdAt } from '../git/object-id.ts'
import { compareIds } from '../git/pack/id-order.ts'
import { PackFile } from '../git/pack/pack-file.ts'
import { PackIndex } from '../git/pack/pack-index.ts'
import { PackSet } from '../git/pack/pack-set.ts'
import type { GitObject, ObjectDatabase, ObjectType, Ordinal, StoredEntry } from '../git/repository.ts'
import {
  type LooseObject,
  listLooseObjects,
  readLooseObject,
  statLooseObject,
  streamLooseObject,
} from './loose-objects.ts'

const alternatesDepthMax = 5
// What Node can hold in one buffer: a local command may take the memory that a server may not.
const objectHeldMaxBytes = 2 ** 31

/** Opens what lies there now; `close` gives the packs' descriptors back. */
export class BareObjects implements ObjectDatabase {
  readonly ordinalCount: number
  /** Whoever repacks such a repository says nothing of what a pack holds. */
  readonly clonePack = undefined
  readonly #packs: PackSet
  readonly #loose: LooseObject[]
  readonly #looseIds: Buffer
  readonly #descriptors: number[] = []

  /** Throws PackInvalid for a damaged index. */
  constructor(objectsPath: string) {
    const folders = withAlternates(objectsPath, 0)
    const files = folders.flatMap((folder) => this.#openPacks(join(folder, 'pack')))
    this.#packs = new PackSet(files, { objectHeldMaxBytes })
    const loose = new Map(folders.flatMap(listLooseObjects).map((object) => [object.id, object]))
    this.#loose = [...loose.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    this.#looseIds = Buffer.from(this.#loose.map(({ id }) => id).join(''), 'hex')
    this.ordinalCount = this.#packs.ordinalCount + this.#loose.length
  }

  close(): void {
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor)
  }

  locate(bytes: Uint8Array, offset = 0): Ordinal {
    const packed = this.#packs.locate(bytes, offset)
    if (packed >= 0) return packed
    const at = this.#lowerBound(bytes, offset)
    const isFound = at < this.#loose.length && compareIds(this.#looseIds, at * idBytes, bytes, offset) === 0
    return isFound ? this.#packs.ordinalCount + at : -1
  }

  idOf(ordinal: Ordinal): ObjectId {
    const at = this.#looseAt(ordinal)
    return at < 0 ? this.#packs.idOf(ordinal) : objectIdAt(this.#looseIds, at * idBytes)
  }

  copyId(ordinal: Ordinal, into: Uint8Array, offset: number): void {
    const at = this.#looseAt(ordinal)
    if (at < 0) this.#packs.copyId(ordinal, into, offset)
    else into.set(this.#looseIds.subarray(at * idBytes, (at + 1) * idBytes), offset)
  }

  stat(ordinal: Ordinal): { type: ObjectType; sizeBytes: number } {
    const at = this.#looseAt(ordinal)
    return at < 0 ? this.#packs.stat(ordinal) : statLooseObject(this.#loose[at])
  }

  read(ordinal: Ordinal): GitObject {
    const at = this.#looseAt(ordinal)
    return at < 0 ? this.#packs.read(ordinal) : readLooseObject(this.#loose[at])
  }

  stream(ordinal: Ordinal): AsyncIterable<Uint8Array> {
    const at = this.#looseAt(ordinal)
    return at < 0 ? this.#packs.stream(ordinal) : streamLooseObject(this.#loose[at])
  }

  stored(ordinal: Ordinal): StoredEntry | undefined {
    return this.#looseAt(ordinal) < 0 ? this.#packs.stored(ordinal) : undefined
  }

  copyStored(pack: number, position: number, into: Uint8Array, offset: number, length: number): void {
    this.#packs.copyStored(pack, position, into, offset, length)
  }

  inStoredOrder(ordinals: Uint32Array): Uint32Array {
    const packed = ordinals.filter((ordinal) => this.#looseAt(ordinal) < 0)
    const ordered = new Uint32Array(ordinals.length)
    ordered.set(this.#packs.inStoredOrder(packed))
    ordered.set(
      ordinals.filter((ordinal) => this.#looseAt(ordinal) >= 0),
      packed.length,
    )
    return ordered
  }

  expand(prefix: string, max: number): ObjectId[] {
    const found = new Set(this.#packs.expand(prefix, max))
    for (let at = this.#lowerBound(Buffer.from(prefix.padEnd(2 * idBytes, '0'), 'hex'), 0); found.size < max; at++) {
      if (at >= this.#loose.length || !this.#loose[at].id.startsWith(prefix)) break
      found.add(this.#loose[at].id as ObjectId)
    }
    return [...found]
  }

  /** The place among the loose objects; -1 for a packed one. */
  #looseAt(ordinal: Ordinal): number {
    return ordinal < this.#packs.ordinalCount ? -1 : ordinal - this.#packs.ordinalCount
  }

  #lowerBound(bytes: Uint8Array, offset: number): number {
    let low = 0
    let high = this.#loose.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareIds(this.#looseIds, middle * idBytes, bytes, offset) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #openPacks(folder: string): PackFile[] {
    if (!existsSync(folder)) return []
    const names = readdirSync(folder).filter((name) => /^pack-[0-9a-f]{40}\.idx$/.test(name))
    return names.sort().map((name) => this.#openPack(join(folder, name)))
  }

  #openPack(indexPath: string): PackFile {
    const index = new PackIndex(readFileSync(indexPath))
    const descriptor = openSync(indexPath.replace(/\.idx$/, '.pack'), 'r')
    this.#descriptors.push(descriptor)
    const readPack = (into: Uint8Array, offset: number, length: number, position: number) =>
      readSync(descriptor, into, offset, length, position)
    return new PackFile(index, { sizeBytes: fstatSync(descriptor).size, readSync: readPack }, false)
  }
}

/** The folder itself, and those that `info/alternates` names. Throws ObjectMissing for an alternate that is not there. */
function withAlternates(objectsPath: string, depth: number): string[] {
  if (!existsSync(objectsPath)) {
    throw new HoldfastError('ObjectMissing', { message: `There is no folder of objects at ${objectsPath}.` })
  }
  const list = join(objectsPath, 'info', 'alternates')
  if (!existsSync(list) || depth >= alternatesDepthMax) return [objectsPath]
  const lines = readFileSync(list, 'utf8').split('\n')
  const paths = lines.filter((line) => line !== '' && !line.startsWith('#'))
  const others = paths.flatMap((path) => withAlternates(resolve(objectsPath, path), depth + 1))
  return [...new Set([objectsPath, ...others])]
}
