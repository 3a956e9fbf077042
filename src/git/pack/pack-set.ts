/**
 * A repository's packs as one object database.
 *
 * Packs are numbered: self-contained packs first, then thin packs as they became visible. A thin pack's bases lie in
 * itself or in packs of a lower number (the catalogue's `sequence` guarantees it), and an object that several packs hold
 * is the one in the lowest number. So chains that reach across packs always go down, and end.
 */
import { HoldfastError } from '../../errors.ts'
import { idBytes, type ObjectId, objectIdAt } from '../object-id.ts'
import type {
  ClonePack,
  CommitRow,
  GitObject,
  ObjectDatabase,
  ObjectType,
  Ordinal,
  StoredDelta,
  StoredEntry,
} from '../repository.ts'
import { applyDelta, readDeltaSizes } from './delta.ts'
import { typeOfCode } from './format.ts'
import { Inflater } from './inflate.ts'
import { cachedObject, cacheObject } from './object-cache.ts'
import { type PackEntry, type PackFile, pieceBytes } from './pack-file.ts'
import { PackReferences } from './pack-references.ts'
import { noReference, refDeltaBit, type SideCar } from './side-car.ts'

const inflater = new Inflater()
// A delta opens with two sizes of at most 10 bytes each.
const deltaSizesBytes = 20

export interface PackSetLimits {
  /** Blobs above it are only streamed. */
  objectHeldMaxBytes: number
}

interface Place {
  pack: PackFile
  number: number
  position: number
}

export class PackSet implements ObjectDatabase {
  readonly ordinalCount: number
  readonly clonePack: ClonePack | undefined
  readonly packs: readonly PackFile[]
  readonly #firstOrdinals: number[]
  readonly #references: PackReferences[]
  readonly #limits: PackSetLimits

  /** `packs` in the order of their numbers, as the file's comment says; `clonePack` is the first of them. */
  constructor(packs: readonly PackFile[], limits: PackSetLimits, clonePack?: ClonePack) {
    this.packs = packs
    this.clonePack = clonePack
    this.#limits = limits
    let count = 0
    this.#firstOrdinals = packs.map((pack) => {
      const first = count
      count += pack.index.objectCount
      return first
    })
    this.ordinalCount = count
    this.#references = packs.map(({ index, sideCar }, number) => {
      return new PackReferences(index, sideCar, { isFirst: number === 0, locate: (ids, at) => this.locate(ids, at) })
    })
  }

  /** These packs and one more, which comes last. */
  withPack(pack: PackFile): PackSet {
    return new PackSet([...this.packs, pack], this.#limits, this.clonePack)
  }

  locate(bytes: Uint8Array, offset = 0): Ordinal {
    for (let number = 0; number < this.packs.length; number++) {
      const position = this.packs[number].index.find(bytes, offset)
      if (position >= 0) return this.#firstOrdinals[number] + position
    }
    return -1
  }

  idOf(ordinal: Ordinal): ObjectId {
    const { pack, position } = this.#place(ordinal)
    return pack.index.idAt(position)
  }

  copyId(ordinal: Ordinal, into: Uint8Array, offset: number): void {
    const { pack, position } = this.#place(ordinal)
    pack.index.copyId(position, into, offset)
  }

  typeOf(ordinal: Ordinal): ObjectType {
    const number = this.#numberOf(ordinal)
    const { sideCar } = this.packs[number]
    if (sideCar === undefined) return this.#typeOfEntry(this.#place(ordinal))
    return typeOfCode(sideCar.typeCodeOf(ordinal - this.#firstOrdinals[number])) as ObjectType
  }

  stat(ordinal: Ordinal): { type: ObjectType; sizeBytes: number } {
    const place = this.#place(ordinal)
    const { sideCar } = place.pack
    if (sideCar !== undefined) {
      const type = typeOfCode(sideCar.typeCodeOf(place.position)) as ObjectType
      return { type, sizeBytes: sideCar.sizeOf(place.position) }
    }
    const entry = place.pack.entryAt(place.position)
    const sizeBytes = entry.type === undefined ? this.#deltaResultSize(place.pack, entry) : entry.sizeBytes
    return { type: this.#typeOfEntry(place), sizeBytes }
  }

  read(ordinal: Ordinal): GitObject {
    let place = this.#place(ordinal)
    const deltas: { place: Place; delta: Buffer }[] = []
    let object = cachedObject(place.pack.cacheNumber, place.position)
    while (object === undefined) {
      const entry = place.pack.entryAt(place.position)
      const data = this.#inflate(place.pack, entry)
      if (entry.type !== undefined) {
        object = { type: entry.type, data }
        cacheObject(place.pack.cacheNumber, place.position, object)
        break
      }
      deltas.push({ place, delta: data })
      place = this.#basePlace(place, entry)
      object = cachedObject(place.pack.cacheNumber, place.position)
    }
    for (let last = deltas.pop(); last !== undefined; last = deltas.pop()) {
      object = { type: object.type, data: applyDelta(object.data, last.delta) }
      cacheObject(last.place.pack.cacheNumber, last.place.position, object)
    }
    return object
  }

  async *stream(ordinal: Ordinal): AsyncGenerator<Uint8Array> {
    const { pack, position } = this.#place(ordinal)
    const entry = pack.entryAt(position)
    if (entry.type === undefined || entry.sizeBytes <= pieceBytes) {
      yield this.read(ordinal).data
      return
    }
    yield* pack.inflatePieces(entry)
  }

  readCommitRow(ordinal: Ordinal, row: CommitRow): boolean {
    const number = this.#numberOf(ordinal)
    const position = ordinal - this.#firstOrdinals[number]
    const { sideCar } = this.packs[number]
    if (sideCar === undefined || !sideCar.isCommit(position)) return false
    const { tables } = sideCar
    const references = this.#references[number]
    const at = sideCar.rowOf(position)
    row.tree = references.present(tables.commitTrees[at])
    row.dateSeconds = tables.commitDates[at]
    row.generation = tables.generations[at]
    const start = tables.parentStarts[at]
    row.parentCount = tables.parentStarts[at + 1] - start
    for (let parent = 0; parent < row.parentCount; parent++) {
      row.parents[parent] = references.present(tables.parents[start + parent])
    }
    return true
  }

  visitIntroduced(commit: Ordinal, visit: (ordinal: Ordinal, type: ObjectType) => void): boolean {
    const number = this.#numberOf(commit)
    const row = changesRow(this.packs[number].sideCar, commit - this.#firstOrdinals[number])
    if (row < 0) return false
    const { introduced, introducedStarts } = this.packs[number].sideCar!.tables
    const references = this.#references[number]
    const end = introducedStarts[row + 1]
    for (let at = introducedStarts[row]; at < end; at++) {
      const ordinal = references.present(introduced[at])
      visit(ordinal, this.#typeOfReference(number, introduced[at], ordinal))
    }
    return true
  }

  visitReplaced(commit: Ordinal, visit: (ordinal: Ordinal, type: ObjectType) => void): boolean {
    const number = this.#numberOf(commit)
    const row = changesRow(this.packs[number].sideCar, commit - this.#firstOrdinals[number])
    if (row < 0) return false
    const { replaced, replacedStarts } = this.packs[number].sideCar!.tables
    const references = this.#references[number]
    for (let at = replacedStarts[row]; at < replacedStarts[row + 1]; at++) {
      const ordinal = references.find(replaced[at])
      if (ordinal >= 0) visit(ordinal, this.#typeOfReference(number, replaced[at], ordinal))
    }
    return true
  }

  leadsTo(commit: Ordinal, ancestor: Ordinal): boolean {
    const number = this.#numberOf(commit)
    const first = this.#firstOrdinals[number]
    const { sideCar, index } = this.packs[number]
    const isSamePack = ancestor >= first && ancestor < first + index.objectCount
    return isSamePack && sideCar?.leadsTo(commit - first, ancestor - first) === true
  }

  introducerOf(ordinal: Ordinal): Ordinal {
    const number = this.#numberOf(ordinal)
    const commit = this.packs[number].sideCar?.introducerOf(ordinal - this.#firstOrdinals[number]) ?? -1
    return commit < 0 ? -1 : this.#references[number].find(commit)
  }

  readStored(ordinal: Ordinal, entry: StoredEntry): boolean {
    const number = this.#numberOf(ordinal)
    const position = ordinal - this.#firstOrdinals[number]
    const pack = this.packs[number]
    if (pack.sideCar === undefined) {
      this.#readStoredHeader({ pack, number, position }, entry)
      return true
    }
    const { index, sideCar } = pack
    entry.pack = number
    entry.offset = index.offsetAt(position)
    entry.end = index.endAt(position, pack.sizeBytes)
    const base = sideCar.tables.bases[position]
    entry.base = base === noReference ? -1 : this.#baseOrdinal(number, base)
    const isOfs = base !== noReference && (sideCar.tables.types[position] & refDeltaBit) === 0
    entry.ofsDistance = isOfs ? entry.offset - index.offsetAt(base) : 0
    return true
  }

  storedDelta(ordinal: Ordinal): StoredDelta {
    const { pack, position } = this.#place(ordinal)
    return pack.entryAt(position)
  }

  copyStored(pack: number, position: number, into: Uint8Array, offset: number, length: number): void {
    this.packs[pack].copy(into, offset, length, position)
  }

  inStoredOrder(ordinals: Uint32Array): Uint32Array {
    const ordered = Uint32Array.from(ordinals).sort()
    let from = 0
    for (let number = 0; number < this.packs.length; number++) {
      const first = this.#firstOrdinals[number]
      const next = first + this.packs[number].index.objectCount
      let to = from
      while (to < ordered.length && ordered[to] < next) to++
      if (to > from) sortByOffset(ordered.subarray(from, to), first, this.packs[number])
      from = to
    }
    return ordered
  }

  expand(prefix: string, max: number): ObjectId[] {
    const found = new Set(this.packs.flatMap(({ index }) => index.idsWithPrefix(prefix, max)))
    return [...found].slice(0, max)
  }

  #typeOfReference(number: number, reference: number, ordinal: Ordinal): ObjectType {
    const { sideCar } = this.packs[number]
    const isOwn = sideCar !== undefined && reference < sideCar.objectCount
    return isOwn ? (typeOfCode(sideCar.typeCodeOf(reference)) as ObjectType) : this.typeOf(ordinal)
  }

  #typeOfEntry(of: Place): ObjectType {
    let place = of
    let entry = place.pack.entryAt(place.position)
    while (entry.type === undefined) {
      place = this.#basePlace(place, entry)
      entry = place.pack.entryAt(place.position)
    }
    return entry.type
  }

  #numberOf(ordinal: Ordinal): number {
    const firsts = this.#firstOrdinals
    let low = 0
    let high = firsts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (firsts[middle] <= ordinal) low = middle
      else high = middle - 1
    }
    return low
  }

  #place(ordinal: Ordinal): Place {
    const number = this.#numberOf(ordinal)
    return { pack: this.packs[number], number, position: ordinal - this.#firstOrdinals[number] }
  }

  #baseOrdinal(number: number, reference: number): Ordinal {
    const base = this.#references[number].find(reference)
    if (base < 0) throw damaged('a delta base is missing')
    if (this.#numberOf(base) > number) throw damaged('a delta base lies in a later pack')
    return base
  }

  #readStoredHeader(place: Place, into: StoredEntry): void {
    const entry = place.pack.entryAt(place.position)
    into.pack = place.number
    into.offset = entry.offset
    into.end = entry.end
    into.base = entry.type === undefined ? this.#canonical(this.#basePlace(place, entry)) : -1
    into.ofsDistance = entry.baseOffset < 0 ? 0 : entry.offset - entry.baseOffset
  }

  /** The ordinal by which the object at `place` is known: that of the lowest pack that holds it. */
  #canonical(place: Place): Ordinal {
    if (place.number === 0) return place.position
    return this.locate(place.pack.index.ids, place.position * idBytes)
  }

  #basePlace(place: Place, entry: Pick<PackEntry, 'baseOffset' | 'baseId'>): Place {
    if (entry.baseId === undefined) {
      const position = place.pack.index.positionAtOffset(entry.baseOffset)
      if (position < 0) throw damaged(`no entry begins at its delta base's offset ${entry.baseOffset}`)
      return { ...place, position }
    }
    const base = this.locate(entry.baseId, 0)
    if (base < 0) throw damaged(`the delta base ${objectIdAt(entry.baseId)} is missing`)
    const found = this.#place(base)
    if (found.number > place.number) throw damaged(`the delta base ${objectIdAt(entry.baseId)} lies in a later pack`)
    return found
  }

  #inflate(pack: PackFile, entry: PackEntry): Buffer {
    if (entry.sizeBytes > this.#limits.objectHeldMaxBytes) {
      throw new HoldfastError('ObjectInvalid', {
        message: `An object of ${entry.sizeBytes} bytes is too large to be held whole.`,
      })
    }
    const compressed = pack.compressed(entry)
    const data = Buffer.allocUnsafe(entry.sizeBytes)
    inflater.inflateInto(compressed, 0, compressed.length, data, 0, entry.sizeBytes)
    return data
  }

  #deltaResultSize(pack: PackFile, entry: PackEntry): number {
    const delta = this.#inflate(pack, entry)
    return readDeltaSizes(delta.subarray(0, deltaSizesBytes)).resultSizeBytes
  }
}

/** The commit's row in the tables of changes; -1 where there are none. */
function changesRow(sideCar: SideCar | undefined, position: number): number {
  return sideCar?.hasChanges === true && sideCar.isCommit(position) ? sideCar.rowOf(position) : -1
}

/** Sorts ordinals of one pack by offset: a counting pass over the pack where many are wanted, a sort where few are. */
function sortByOffset(ordinals: Uint32Array, first: Ordinal, pack: PackFile): void {
  const { index } = pack
  if (ordinals.length * 16 < index.objectCount) {
    ordinals.sort((a, b) => index.offsetAt(a - first) - index.offsetAt(b - first))
    return
  }
  const wanted = new Uint8Array(index.objectCount)
  for (const ordinal of ordinals) wanted[ordinal - first] = 1
  let count = 0
  for (const position of index.positionsByOffset()) {
    if (wanted[position] === 1) ordinals[count++] = first + position
  }
}

function damaged(what: string): HoldfastError {
  return new HoldfastError('PackInvalid', { message: `A stored pack is damaged: ${what}.` })
}
