/**
 * Makes objects of the deltas of a received pack. The deltas of a base are its children; each tree of them is walked from
 * its root without recursion, so that depth costs no stack, and the heaviest subtree comes last, when its base need not
 * be kept any more. Bases that must be kept lie in a cache of bounded bytes and are derived again once dropped.
 */
import { idBytes, objectIdAt } from '../object-id.ts'
import type { ObjectDatabase, Ordinal } from '../repository.ts'
import { BaseCache, type DeltaBase } from './base-cache.ts'
import { BaseMemory } from './base-memory.ts'
import { applyDelta, applyDeltaInto, readDeltaSizes } from './delta.ts'
import { type EntryTable, noBase } from './entry-table.ts'
import { packInvalid, typeCodes } from './format.ts'
import { atEntry, checkHeldSize } from './parse-entries.ts'
import type { ReceivePace } from './receive-pace.ts'
import { hashHeaderBytes, type ReceivedObjects } from './received-objects.ts'
import type { SpooledEntries } from './spooled-entries.ts'

const basesMaxBytes = 64 * 1024 * 1024
const none = -1

export interface ResolveOptions {
  entries: EntryTable
  spooled: SpooledEntries
  objects: ReceivedObjects
  existing: ObjectDatabase
  pace: ReceivePace
  objectHeldMaxBytes: number
  deltaDepthMax: number
}

/**
 * Resolves every delta; returns the bases outside the pack, whose numbers in `entries.bases` follow those of the entries.
 * Throws PackInvalid with the entry's offset.
 */
export async function resolveDeltas(options: ResolveOptions): Promise<readonly Ordinal[]> {
  const { entries } = options
  if (entries.deltaCount === 0) return []
  const resolver = new Resolver(options)
  for (let entry = 0; entry < entries.count; entry++) {
    // Resolved deltas have a type by now, and a base.
    if (entries.types[entry] !== 0 && entries.bases[entry] === noBase) await resolver.walk(entry)
  }
  for (let number = 0; number < entries.baseIds.size; number++) {
    const root = resolver.adoptOutside(number)
    if (root !== none) await resolver.walk(root)
  }
  resolver.checkAllResolved()
  return resolver.outside
}

/** A base has a number: an entry's own, or from `entries.count` on that of a base outside the pack. */
class Resolver {
  readonly #options: ResolveOptions
  readonly #entries: EntryTable
  /** First child of each base, the rest of the list is in `entries.next`; and how many children are unresolved. */
  readonly #firstChild: Int32Array
  readonly #waiting: Int32Array
  /** How many entries hang on each as far as offsets tell. */
  readonly #weight: Uint32Array
  readonly #depth: Uint16Array
  /** The objects outside the pack that are bases, in the order of their numbers. */
  readonly outside: Ordinal[] = []
  readonly #memory = new BaseMemory()
  readonly #cache = new BaseCache(basesMaxBytes, this.#memory)
  readonly #stack: number[] = []
  #buffer: Buffer<ArrayBuffer> = Buffer.alloc(0)
  #resolved = 0

  constructor(options: ResolveOptions) {
    this.#options = options
    this.#entries = options.entries
    const { count, bases, baseIds } = options.entries
    this.#firstChild = new Int32Array(count + baseIds.size).fill(none)
    this.#waiting = new Int32Array(count + baseIds.size)
    this.#weight = new Uint32Array(count).fill(1)
    this.#depth = new Uint16Array(count)
    for (let entry = count - 1; entry > 0; entry--) {
      if (bases[entry] >= 0) this.#weight[bases[entry]] += this.#weight[entry]
    }
    for (let entry = 0; entry < count; entry++) {
      if (bases[entry] >= 0) this.#addChild(bases[entry], entry)
    }
  }

  /** Resolves everything that hangs on `root`. */
  async walk(root: number): Promise<void> {
    if (root < this.#entries.count) this.#adopt(root)
    this.#pushChildren(root)
    const { pace } = this.#options
    for (let entry = this.#stack.pop(); entry !== undefined; entry = this.#stack.pop()) {
      let sizeBytes: number
      try {
        sizeBytes = this.#resolve(entry)
      } catch (error) {
        throw atEntry(error, this.#entries.offsets[entry])
      }
      this.#resolved++
      if (pace.due(1 + sizeBytes / 8192)) await pace.pause('resolving', this.#resolved, this.#entries.deltaCount)
    }
  }

  /** Gives the deltas that still lack their base by id, number `number`, an existing object; its number as a base or -1. */
  adoptOutside(number: number): number {
    const { baseIds, firstOfBaseId, count } = this.#entries
    if (firstOfBaseId[number] === none) return none
    const ordinal = this.#options.existing.locate(baseIds.ids, number * idBytes)
    if (ordinal < 0) return none
    const base = count + this.outside.length
    this.outside.push(ordinal)
    this.#adoptAll(base, number)
    return base
  }

  checkAllResolved(): void {
    const { baseIds, firstOfBaseId, offsets } = this.#entries
    for (let number = 0; number < baseIds.size; number++) {
      const entry = firstOfBaseId[number]
      if (entry === none) continue
      throw packInvalid(`the delta base ${objectIdAt(baseIds.ids, number * idBytes)} is missing`, offsets[entry])
    }
  }

  /** Makes an object of a delta and puts its children on the stack. Returns its size. */
  #resolve(entry: number): number {
    const entries = this.#entries
    const base = entries.bases[entry]
    const isOutside = base >= entries.count
    this.#depth[entry] = isOutside ? 1 : this.#depth[base] + 1
    if (this.#depth[entry] > this.#options.deltaDepthMax) {
      throw packInvalid(`a delta chain is deeper than ${this.#options.deltaDepthMax}`)
    }
    const found = this.#cache.take(base) ?? this.#derive(base)
    const { data: baseData, starts: baseStarts } = found
    const delta = this.#options.spooled.inflate(entry)
    const sizes = readDeltaSizes(delta)
    checkHeldSize(sizes.resultSizeBytes, this.#options.objectHeldMaxBytes)
    const end = hashHeaderBytes + sizes.resultSizeBytes
    const mayBeBase = this.#firstChild[entry] !== none || entries.baseIds.size > 0
    const buffer = mayBeBase ? Buffer.from(this.#memory.take(end)) : this.#sharedBuffer(end)
    applyDeltaInto(baseData, delta, sizes, buffer, hashHeaderBytes)
    const typeCode = isOutside ? this.#outsideType(base) : entries.types[base]
    const origin = baseStarts && { delta, baseStarts }
    const starts = this.#options.objects.accept(entry, typeCode, { buffer, end, origin })
    this.#adopt(entry)
    if (this.#waiting[entry] > 0) this.#keep(entry, { buffer, end, starts })
    else if (mayBeBase) this.#memory.giveBack(buffer.buffer)
    if (--this.#waiting[base] > 0) this.#cache.put(base, found)
    else this.#memory.giveBackAll(found.lent)
    this.#pushChildren(entry)
    return sizes.resultSizeBytes
  }

  /** `buffer` comes from `#memory`, `starts` is copied there. */
  #keep(entry: number, made: { buffer: Buffer<ArrayBuffer>; end: number; starts: Uint32Array | undefined }): void {
    const data = made.buffer.subarray(hashHeaderBytes, made.end)
    if (made.starts === undefined) {
      this.#cache.put(entry, { data, starts: undefined, lent: [made.buffer.buffer] })
      return
    }
    const memory = this.#memory.take(made.starts.byteLength)
    const starts = new Uint32Array(memory, 0, made.starts.length)
    starts.set(made.starts)
    this.#cache.put(entry, { data, starts, lent: [made.buffer.buffer, memory] })
  }

  #derive(base: number): DeltaBase {
    const { count, bases } = this.#entries
    const deltas: number[] = []
    let root = base
    let data: Buffer | undefined
    while (data === undefined && root < count && bases[root] !== noBase) {
      deltas.push(root)
      root = bases[root]
      data = this.#cache.get(root)?.data
    }
    data ??= root < count ? this.#readWhole(root) : this.#options.existing.read(this.outside[root - count]).data
    for (let delta = deltas.pop(); delta !== undefined; delta = deltas.pop()) {
      data = applyDelta(data, this.#options.spooled.inflate(delta))
      if (delta !== base && this.#waiting[delta] > 0) this.#cache.put(delta, this.#asBase(delta, data))
    }
    return this.#asBase(base, data)
  }

  #asBase(base: number, data: Buffer): DeltaBase {
    const { types, count } = this.#entries
    // What a tree outside the pack names has not been noted.
    const isOwnTree = base < count && types[base] === typeCodes.tree
    const starts = isOwnTree ? this.#options.objects.trees.startsOf(data)?.slice() : undefined
    return { data, starts, lent: [] }
  }

  #readWhole(entry: number): Buffer {
    return Buffer.from(this.#options.spooled.inflate(entry))
  }

  #outsideType(base: number): number {
    return typeCodes[this.#options.existing.stat(this.outside[base - this.#entries.count]).type]
  }

  /** The deltas that name the now known object `entry` by its id become its children. */
  #adopt(entry: number): void {
    const { baseIds, ids } = this.#entries
    if (baseIds.size === 0) return
    const number = baseIds.find(ids, entry * idBytes)
    if (number >= 0) this.#adoptAll(entry, number)
  }

  #adoptAll(base: number, number: number): void {
    const { bases, next, firstOfBaseId } = this.#entries
    let child = firstOfBaseId[number]
    firstOfBaseId[number] = none
    while (child !== none) {
      const following = next[child]
      bases[child] = base
      this.#addChild(base, child)
      child = following
    }
  }

  #addChild(base: number, child: number): void {
    this.#entries.next[child] = this.#firstChild[base]
    this.#firstChild[base] = child
    this.#waiting[base]++
  }

  #pushChildren(base: number): void {
    const { next } = this.#entries
    let heaviest = this.#firstChild[base]
    if (heaviest === none) return
    for (let child = heaviest; child !== none; child = next[child]) {
      if (this.#weight[child] > this.#weight[heaviest]) heaviest = child
    }
    this.#stack.push(heaviest)
    for (let child = this.#firstChild[base]; child !== none; child = next[child]) {
      if (child !== heaviest) this.#stack.push(child)
    }
  }

  #sharedBuffer(length: number): Buffer<ArrayBuffer> {
    if (this.#buffer.length < length) this.#buffer = Buffer.allocUnsafeSlow(length * 2)
    return this.#buffer
  }
}
