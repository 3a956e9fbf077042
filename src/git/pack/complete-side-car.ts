/**
 * Completes the side-car of a pack by what its commits changed and by their generations, which takes the objects beyond
 * the pack. What older side-cars say of the same commits is taken over: it holds in any pack.
 */
import assert from 'node:assert/strict'
import { isHoldfastError } from '../../errors.ts'
import { fairLoop } from '../fair-loop.ts'
import { idBytes } from '../object-id.ts'
import type { Ordinal } from '../repository.ts'
import { CommitGraph } from '../walk/commit-graph.ts'
import { OrdinalNumbers } from '../walk/ordinal-numbers.ts'
import { TreeChanges } from '../walk/tree-changes.ts'
import { computeGenerations } from './generations.ts'
import { IdSet } from './id-set.ts'
import type { PackBytes } from './pack-bytes.ts'
import { PackFile } from './pack-file.ts'
import { PackIndex } from './pack-index.ts'
import type { PackSet } from './pack-set.ts'
import type { ReceivedPack } from './receive-pack-file.ts'
import { formatSideCar, SideCar, type SideCarTables } from './side-car.ts'

// While somebody waits for their push, 0.1 s at most: it adds a third to receiving. What is larger is completed when it is compacted.
const commitsMax = 5_000
const objectsMax = 20_000
// A few small commits can exchange one huge tree for another and back. A real history of 82,000 commits lists each object
// 1.8 times and reads 0.1 MiB of trees a commit.
const listedFreely = 2 ** 20
const listedPerObject = 16
const readFreelyBytes = 2 ** 30
const readBytesPerCommit = 2 ** 20

export interface CompleteOptions {
  /** Whoever is gone needs no side-car. */
  signal?: AbortSignal
}

/**
 * The bytes of the pack's side-car, complete: without what the commits changed only where that is out of all proportion.
 * `others` holds what its objects refer to outside the pack. Throws ObjectMissing where something they refer to is nowhere.
 */
export async function completeSideCar(
  pack: PackFile,
  others: PackSet,
  { signal }: CompleteOptions = {},
): Promise<Buffer> {
  assert(hasSideCar(pack), 'there is something to complete')
  const objects = others.withPack(pack)
  const { tables } = pack.sideCar
  const references = new ReferencesOfPack(pack, objects)
  const graph = new CommitGraph(objects)
  const generations = computeGenerations(tables, tables, (number) => {
    const ordinal = objects.locate(tables.outsideIds, number * idBytes)
    return ordinal < 0 ? 0 : graph.generationOf(ordinal)
  })
  const rows = newestFirst(generations, tables.commitDates)
  const changes = await listChanges(graph, pack.sideCar, { rows, references, signal })
  const completed: SideCarTables = { ...tables, generations, ...changes, outsideIds: references.outsideIds }
  return formatSideCar(completed, pack.index.packChecksum)
}

interface ListOptions extends CompleteOptions {
  rows: Uint32Array
  references: ReferencesOfPack
}

/** What each commit changed, as tables; none where there is no end of it. */
async function listChanges(graph: CommitGraph, sideCar: SideCar, { rows, references, signal }: ListOptions) {
  const { objects } = graph
  const { commitCount, objectCount } = sideCar
  const introduced = new ReferenceLists(commitCount)
  const replaced = new ReferenceLists(commitCount)
  const pause = fairLoop()
  const changes = new TreeChanges(objects, pause)
  const positions = sideCar.commitPositions()
  for (const row of rows) {
    const commit = references.ordinalAt(positions[row])
    if (objects.visitIntroduced(commit, (ordinal) => introduced.add(references.to(ordinal)))) {
      objects.visitReplaced(commit, (ordinal) => replaced.add(references.to(ordinal)))
    } else {
      const parentTrees = graph.trueParentsOf(commit).map((parent) => graph.treeOf(parent))
      await changes.compare(graph.treeOf(commit), parentTrees)
      for (const ordinal of changes.introduced) introduced.add(references.to(ordinal))
      for (const ordinal of changes.replaced) replaced.add(references.to(ordinal))
    }
    introduced.end(row)
    replaced.end(row)
    const isTooMuch =
      introduced.count + replaced.count > listedFreely + listedPerObject * objectCount ||
      changes.readBytes > readFreelyBytes + readBytesPerCommit * commitCount
    if (isTooMuch) return {}
    if (pause.due()) await pause.now()
    signal?.throwIfAborted()
  }
  return asTables(introduced, replaced)
}

export interface CompleteReceivedOptions extends CompleteOptions {
  /** Where the pack has been written to. */
  bytes: Pick<PackBytes, 'readSync'>
  /** Holds what the pack's objects refer to. */
  surroundings: PackSet
  /** Leaves a large pack as it is. */
  isBounded: boolean
}

/** The pack with a complete side-car, unless it is too large, or what its objects refer to is not all there. */
export async function completeReceived(
  received: ReceivedPack,
  { bytes, surroundings, isBounded, signal }: CompleteReceivedOptions,
): Promise<ReceivedPack> {
  const index = new PackIndex(received.index, { isChecked: true })
  const sideCar = new SideCar(received.sideCar, index, { isChecked: true })
  if (isBounded && (received.objectCount > objectsMax || sideCar.commitCount > commitsMax)) return received
  const file: PackBytes = { sizeBytes: received.sizeBytes, readSync: (...args) => bytes.readSync(...args) }
  const pack = new PackFile(index, file, received.isThin, sideCar)
  try {
    return { ...received, sideCar: await completeSideCar(pack, surroundings, { signal }) }
  } catch (error) {
    if (isHoldfastError(error, 'ObjectMissing')) return received
    throw error
  }
}

type PackWithSideCar = PackFile & { sideCar: SideCar }

function hasSideCar(pack: PackFile): pack is PackWithSideCar {
  return pack.sideCar !== undefined
}

/** Rows so that neighbours in history are neighbours here: what one reads, the next one finds in the cache. */
function newestFirst(generations: Float64Array, dates: Float64Array): Uint32Array {
  const rank = (row: number) => generations[row] || dates[row]
  return Uint32Array.from(generations.keys()).sort((a, b) => rank(b) - rank(a))
}

function asTables(introduced: ReferenceLists, replaced: ReferenceLists) {
  const [first, second] = [introduced.byRow(), replaced.byRow()]
  return {
    introducedStarts: first.starts,
    introduced: first.references,
    replacedStarts: second.starts,
    replaced: second.references,
  }
}

/** Lists of references, made in any order of the commit rows. */
class ReferenceLists {
  /** Where each row's list begins and ends. */
  readonly #begins: Uint32Array
  readonly #ends: Uint32Array
  count = 0
  #references = new Uint32Array(1024)
  #begin = 0

  constructor(rowCount: number) {
    this.#begins = new Uint32Array(rowCount)
    this.#ends = new Uint32Array(rowCount)
  }

  /** The lists one behind the other, by row, and where each begins. */
  byRow(): { starts: Uint32Array; references: Uint32Array } {
    const starts = new Uint32Array(this.#ends.length + 1)
    const references = new Uint32Array(this.count)
    for (let row = 0; row < this.#ends.length; row++) {
      const list = this.#references.subarray(this.#begins[row], this.#ends[row])
      references.set(list, starts[row])
      starts[row + 1] = starts[row] + list.length
    }
    return { starts, references }
  }

  add(reference: number): void {
    if (this.count === this.#references.length) {
      const larger = new Uint32Array(this.count * 2)
      larger.set(this.#references)
      this.#references = larger
    }
    this.#references[this.count++] = reference
  }

  /** What was added since the last end is this row's list. */
  end(row: number): void {
    this.#begins[row] = this.#begin
    this.#ends[row] = this.count
    this.#begin = this.count
  }
}

/** From ordinals of a set of packs to references of one of them, and back. */
class ReferencesOfPack {
  readonly #pack: PackWithSideCar
  readonly #objects: PackSet
  readonly #ordinals: Uint32Array
  /** Reference + 1 by ordinal; 0 where it has none yet. */
  readonly #references: OrdinalNumbers
  readonly #outside = new IdSet()
  readonly #id = Buffer.alloc(idBytes)

  constructor(pack: PackWithSideCar, objects: PackSet) {
    this.#pack = pack
    this.#objects = objects
    const { objectCount } = pack.sideCar
    this.#ordinals = new Uint32Array(objectCount)
    this.#references = new OrdinalNumbers(objects.ordinalCount)
    for (let position = 0; position < objectCount; position++) {
      const ordinal = objects.locate(pack.index.ids, position * idBytes)
      this.#ordinals[position] = ordinal
      this.#references.set(ordinal, position + 1)
    }
    // The references that the side-car has already keep their numbers.
    const { outsideIds } = pack.sideCar.tables
    for (let at = 0; at < outsideIds.length; at += idBytes) this.#outside.add(outsideIds, at)
  }

  get outsideIds(): Uint8Array {
    return this.#outside.ids.subarray(0, this.#outside.size * idBytes)
  }

  ordinalAt(position: number): Ordinal {
    return this.#ordinals[position]
  }

  to(ordinal: Ordinal): number {
    const known = this.#references.get(ordinal) - 1
    if (known >= 0) return known
    this.#objects.copyId(ordinal, this.#id, 0)
    const reference = this.#pack.sideCar.objectCount + this.#outside.add(this.#id, 0)
    this.#references.set(ordinal, reference + 1)
    return reference
  }
}
