/**
 * What is known of a pack's objects without opening them: types, inflated sizes, delta bases, the order in which entries
 * lie, the commits' parents, trees and dates, and what each commit changed. It lies behind the pack's index and is read
 * in place.
 *
 * Objects are numbered by their position in the index. A reference to an object that is not in the pack is
 * `objectCount + k`, where `k` is a place in the table of outside ids; `noReference` names none.
 */
import { crc32 } from 'node:zlib'
import { HoldfastError } from '../../errors.ts'
import { idBytes, objectIdAt } from '../object-id.ts'
import { Descent } from './descent.ts'

/**
 * The tables in the order in which they are written: by the size of their elements, so that each is aligned. They are
 * little-endian, as every machine that Node is built for today; on another one the first number reads wrong, and the
 * side-car counts as absent.
 */
const layout = {
  /** Sizes of 2 GiB and more; `sizes` has `largeSizeBit` and a place in this table. */
  largeSizes: Float64Array,
  /** By commit: committer date in seconds since 1970. */
  commitDates: Float64Array,
  /** By commit: corrected commit date (greater than any ancestor's); 0 where some ancestor's is not known. */
  generations: Float64Array,
  /** By object: inflated bytes. */
  sizes: Uint32Array,
  /** By object: the delta's base. */
  bases: Uint32Array,
  /** The objects in the order in which their entries lie in the pack. */
  offsetOrder: Uint32Array,
  /** By commit. */
  commitTrees: Uint32Array,
  /** By commit, and one more: where its parents begin in `parents`. */
  parentStarts: Uint32Array,
  parents: Uint32Array,
  /** As `parentStarts`; empty where what the commits changed is not known. */
  introducedStarts: Uint32Array,
  /** Trees and blobs that the commit's tree holds and no parent's tree does, at the paths that changed. */
  introduced: Uint32Array,
  replacedStarts: Uint32Array,
  /** Trees and blobs that the parents' trees hold at those paths. */
  replaced: Uint32Array,
  /** By object: its type's code, and `refDeltaBit`. */
  types: Uint8Array,
  /** 20 bytes each. */
  outsideIds: Uint8Array,
} as const

type Layout = typeof layout
type TableOf<Constructor> = Constructor extends Float64ArrayConstructor
  ? Float64Array
  : Constructor extends Uint32ArrayConstructor
    ? Uint32Array
    : Uint8Array
export type SideCarTables = { [Name in keyof Layout]: TableOf<Layout[Name]> }

export const noReference = 0xffffffff
export const largeSizeBit = 0x80000000
/** The entry names its base by id (REF_DELTA). */
export const refDeltaBit = 8
const typeMask = 7
const commitCode = 1

const magic = 0x43534648
const version = 1
const checksumAt = 8
const packChecksumAt = 12
const lengthsAt = 32
const names = Object.keys(layout) as (keyof Layout)[]
const headerBytes = Math.ceil((lengthsAt + names.length * 4) / 8) * 8

/** The bytes of a side-car. `packChecksum` is the trailer of the pack that it belongs to. */
export function formatSideCar(tables: SideCarTables, packChecksum: Uint8Array): Buffer {
  const sizeBytes = names.reduce((sum, name) => sum + tables[name].byteLength, headerBytes)
  const bytes = Buffer.alloc(sizeBytes)
  const header = new Uint32Array(bytes.buffer, bytes.byteOffset, headerBytes / 4)
  header[0] = magic
  header[1] = version
  bytes.set(packChecksum, packChecksumAt)
  let at = headerBytes
  for (const [index, name] of names.entries()) {
    const { buffer, byteOffset, byteLength, length } = tables[name]
    header[lengthsAt / 4 + index] = length
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at)
    at += byteLength
  }
  header[checksumAt / 4] = crc32(bytes.subarray(packChecksumAt))
  return bytes
}

/** A side-car that has been read; what is asked of one object or commit. */
export class SideCar {
  readonly tables: Readonly<SideCarTables>
  readonly bytes: Uint8Array
  readonly objectCount: number
  readonly commitCount: number
  /** A bit for each object that is a commit, and how many commits precede each group of 32. */
  readonly #commitBits: Int32Array
  readonly #commitsBefore: Uint32Array
  /** Position + 1 by object; computed when first asked for. */
  #introducers: Uint32Array | undefined
  #descent: Descent | undefined

  /**
   * Keeps `bytes`. Throws PackInvalid unless they are a whole side-car of that pack with the right checksum, which for
   * those that `isChecked` says were checked before is not looked at again.
   */
  constructor(
    bytes: Uint8Array,
    pack: { packChecksum: Uint8Array; objectCount: number },
    { isChecked = false }: { isChecked?: boolean } = {},
  ) {
    this.bytes = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
    if (!isChecked) check(this.bytes, pack.packChecksum)
    this.tables = readTables(this.bytes)
    this.objectCount = pack.objectCount
    this.commitCount = this.tables.commitTrees.length
    const groups = Math.ceil(this.objectCount / 32)
    this.#commitBits = new Int32Array(groups)
    this.#commitsBefore = new Uint32Array(groups + 1)
    this.#checkCounts(this.#countCommits())
  }

  /** True where `introduced` and `replaced` are known. */
  get hasChanges(): boolean {
    return this.tables.introducedStarts.length > 0
  }

  /** The position of the earliest commit that introduced the object at `position`; -1 where none is known. */
  introducerOf(position: number): number {
    this.#introducers ??= this.#findIntroducers()
    return this.#introducers[position] - 1
  }

  /** True where the one commit is surely an ancestor of the other, or the same; a no says nothing. Both by position. */
  leadsTo(commit: number, ancestor: number): boolean {
    this.#descent ??= new Descent(this.tables, (position) => this.rowOf(position))
    return this.#descent.leadsTo(this.rowOf(commit), this.rowOf(ancestor))
  }

  /** The code of the object's type, 1 to 4. */
  typeCodeOf(position: number): number {
    return this.tables.types[position] & typeMask
  }

  sizeOf(position: number): number {
    const size = this.tables.sizes[position]
    return size < largeSizeBit ? size : this.tables.largeSizes[size - largeSizeBit]
  }

  /** The place of a commit in the tables by commit; `position` must be one. */
  rowOf(position: number): number {
    const group = position >>> 5
    const before = this.#commitBits[group] & ((1 << (position & 31)) - 1)
    return this.#commitsBefore[group] + countBits(before)
  }

  /** The positions of the commits, by row. */
  commitPositions(): Uint32Array {
    const positions = new Uint32Array(this.commitCount)
    let row = 0
    for (let position = 0; position < this.objectCount; position++) {
      if (this.isCommit(position)) positions[row++] = position
    }
    return positions
  }

  isCommit(position: number): boolean {
    return (this.tables.types[position] & typeMask) === commitCode
  }

  #findIntroducers(): Uint32Array {
    const { introducedStarts, introduced, generations } = this.tables
    const introducers = new Uint32Array(this.objectCount)
    const least = new Float64Array(this.objectCount).fill(Number.POSITIVE_INFINITY)
    const positions = this.commitPositions()
    for (let row = 0; row + 1 < introducedStarts.length; row++) {
      for (let at = introducedStarts[row]; at < introducedStarts[row + 1]; at++) {
        const position = introduced[at]
        if (position >= this.objectCount || generations[row] >= least[position]) continue
        least[position] = generations[row]
        introducers[position] = positions[row] + 1
      }
    }
    return introducers
  }

  #countCommits(): number {
    const { types } = this.tables
    let count = 0
    for (let position = 0; position < this.objectCount; position++) {
      if ((position & 31) === 0) this.#commitsBefore[position >>> 5] = count
      if ((types[position] & typeMask) !== commitCode) continue
      this.#commitBits[position >>> 5] |= 1 << (position & 31)
      count++
    }
    return count
  }

  #checkCounts(commitsFound: number): void {
    const { tables, objectCount, commitCount } = this
    const isWhole =
      commitsFound === commitCount &&
      [tables.types, tables.sizes, tables.bases, tables.offsetOrder].every(({ length }) => length === objectCount) &&
      [tables.commitDates, tables.generations].every(({ length }) => length === commitCount) &&
      tables.parentStarts.length === commitCount + 1 &&
      (!this.hasChanges || tables.introducedStarts.length === commitCount + 1) &&
      tables.replacedStarts.length === tables.introducedStarts.length &&
      tables.outsideIds.length % idBytes === 0
    if (!isWhole) throw sideCarInvalid('its tables do not fit each other')
  }
}

function check(bytes: Uint8Array, packChecksum: Uint8Array): void {
  if (bytes.length < headerBytes) throw sideCarInvalid('it ends within its header')
  const header = new Uint32Array(bytes.buffer, bytes.byteOffset, headerBytes / 4)
  if (header[0] !== magic || header[1] !== version) throw sideCarInvalid('it is of an unknown version')
  if (objectIdAt(bytes, packChecksumAt) !== objectIdAt(packChecksum)) throw sideCarInvalid('it is of another pack')
  if (crc32(bytes.subarray(packChecksumAt)) !== header[checksumAt / 4]) throw sideCarInvalid('its checksum is wrong')
}

function readTables(bytes: Uint8Array): SideCarTables {
  const header = new Uint32Array(bytes.buffer, bytes.byteOffset, headerBytes / 4)
  let at = bytes.byteOffset + headerBytes
  const entries = names.map((name, index) => {
    const length = header[lengthsAt / 4 + index]
    const start = at
    at += length * layout[name].BYTES_PER_ELEMENT
    if (at > bytes.byteOffset + bytes.length) throw sideCarInvalid('it ends too early')
    return [name, new layout[name](bytes.buffer as ArrayBuffer, start, length)]
  })
  return Object.fromEntries(entries) as SideCarTables
}

function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

function sideCarInvalid(what: string): HoldfastError {
  return new HoldfastError('PackInvalid', { message: `The side-car of a pack is damaged: ${what}.` })
}
