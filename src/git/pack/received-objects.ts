/**
 * The objects of a pack that is being received, as each becomes known: named by its hash, checked, compared with what the
 * repository already has under that name, and its references noted.
 */
import { hash } from 'node:crypto'
import { HoldfastError } from '../../errors.ts'
import { commitIds, committerSeconds } from '../commit.ts'
import { type FsckFindings, noFindings, ObjectChecker } from '../fsck/check-objects.ts'
import type { FsckSettings } from '../fsck/settings.ts'
import { idBytes, type ObjectId, objectIdAt, readHexId } from '../object-id.ts'
import type { ObjectDatabase, ObjectType } from '../repository.ts'
import { parseTag } from '../tag.ts'
import type { EntryTable } from './entry-table.ts'
import { packInvalid, typeCodes, typeOfCode } from './format.ts'
import { sortIds } from './id-order.ts'
import { IdSet } from './id-set.ts'
import { ReceivedCommits } from './received-commits.ts'
import { type ReceivedObject, ShownObject } from './received-object.ts'
import { ReceivedTrees, type TreeOrigin } from './received-trees.ts'

/** Room that `accept` needs in front of an object's data: the header under which Git hashes an object. */
export const hashHeaderBytes = 32
/** Blobs smaller than this, LFS pointers among them, are shown to `visit` with their data. */
const shownBlobMaxBytes = 1024
// A pack of a repository has about as many as there are refs. They are kept in the catalogue.
const rootsMax = 100_000

export interface ReceivedObjectsOptions {
  existing: ObjectDatabase
  /** What malformed objects are measured by; undefined: nothing but what the engine itself needs. */
  fsck: FsckSettings | undefined
  visit: ((object: ReceivedObject) => void) | undefined
}

// Marks of an id: what it is in this pack in the lower 4 bits, what others take it for in the upper; 0 is unknown.
const expectedShift = 4
const typeMask = 15

export class ReceivedObjects {
  /** Objects too large to be held that `existing` has too: still to be compared. */
  readonly uncompared: { entry: number; ordinal: number }[] = []
  /** Every id that the pack holds or names. */
  readonly known = new IdSet()
  readonly commits = new ReceivedCommits()
  readonly trees: ReceivedTrees
  readonly #entries: EntryTable
  readonly #options: ReceivedObjectsOptions
  readonly #checker: ObjectChecker | undefined
  readonly #shown = new ShownObject()

  constructor(entries: EntryTable, options: ReceivedObjectsOptions) {
    this.#entries = entries
    this.#options = options
    this.#checker = options.fsck && new ObjectChecker(options.fsck)
    this.trees = new ReceivedTrees({
      checker: this.#checker,
      refer: (bytes, at, typeCode) => this.#refer(bytes, at, typeCode),
    })
  }

  get findings(): FsckFindings {
    return this.#checker?.findings() ?? noFindings
  }

  /**
   * A whole object, at `buffer[hashHeaderBytes]` up to `end`; the room before it is written to. Returns what
   * `ReceivedTrees.accept` says of a tree, of which `origin` tells how it was made if its base is known.
   */
  accept(
    entry: number,
    typeCode: number,
    { buffer, end, origin }: { buffer: Buffer; end: number; origin?: TreeOrigin },
  ): Uint32Array | undefined {
    const sizeBytes = end - hashHeaderBytes
    const type = typeOfCode(typeCode) as ObjectType
    const header = `${type} ${sizeBytes}\0`
    const start = hashHeaderBytes - header.length
    buffer.write(header, start, 'latin1')
    // Of all encodings the one that takes the least time, back and forth.
    this.#entries.ids.write(hash('sha1', buffer.subarray(start, end), 'binary'), entry * idBytes, idBytes, 'latin1')
    this.#register(entry, typeCode, sizeBytes)
    const ordinal = this.#options.existing.locate(this.#entries.ids, entry * idBytes)
    if (ordinal >= 0) {
      const existing = this.#options.existing.read(ordinal)
      const isSame = existing.type === type && existing.data.equals(buffer.subarray(hashHeaderBytes, end))
      if (!isSame) throw this.collision(entry)
    }
    if (type === 'blob') {
      this.#visit(entry, type, sizeBytes, sizeBytes < shownBlobMaxBytes ? buffer : undefined)
      return undefined
    }
    const starts = this.#readReferences(entry, { type, data: buffer.subarray(hashHeaderBytes, end), origin })
    this.#visit(entry, type, sizeBytes, buffer)
    return starts
  }

  /** A blob that was hashed in pieces. */
  acceptStreamed(entry: number, idHex: string, sizeBytes: number): void {
    this.#entries.ids.write(idHex, entry * idBytes, 'hex')
    this.#register(entry, typeCodes.blob, sizeBytes)
    const ordinal = this.#options.existing.locate(this.#entries.ids, entry * idBytes)
    if (ordinal >= 0) this.uncompared.push({ entry, ordinal })
    this.#visit(entry, 'blob', sizeBytes, undefined)
  }

  collision(entry: number): HoldfastError {
    const id = objectIdAt(this.#entries.ids, entry * idBytes)
    return packInvalid(`the repository has another object under the id ${id}`, this.#entries.offsets[entry])
  }

  /** Ids that objects of the pack name and that are not in it, sorted. Throws ObjectInvalid where one is of a wrong type. */
  outsideIds(): Buffer {
    const { ids, marks, size } = this.known
    const outside = Buffer.allocUnsafe(size * idBytes)
    let count = 0
    for (let member = 0; member < size; member++) {
      const expected = marks[member] >> expectedShift
      if (expected === 0) continue
      let found = marks[member] & typeMask
      if (found === 0) {
        ids.copy(outside, count++ * idBytes, member * idBytes, (member + 1) * idBytes)
        const ordinal = this.#options.existing.locate(ids, member * idBytes)
        if (ordinal < 0) continue
        found = typeCodes[this.#options.existing.stat(ordinal).type]
      }
      if (found !== expected) throw wrongType(objectIdAt(ids, member * idBytes), expected, found)
    }
    const sorted = Buffer.allocUnsafe(count * idBytes)
    for (const [position, number] of sortIds({ objectCount: count, ids: outside }).entries()) {
      outside.copy(sorted, position * idBytes, number * idBytes, (number + 1) * idBytes)
    }
    return sorted
  }

  /** Ids of the pack's objects that no other of them names; undefined where there are more than `rootsMax`. */
  rootIds(): Buffer | undefined {
    const { ids, marks, size } = this.known
    const roots: Buffer[] = []
    for (let member = 0; member < size; member++) {
      if (marks[member] >> expectedShift !== 0) continue
      if (roots.length === rootsMax) return undefined
      roots.push(ids.subarray(member * idBytes, (member + 1) * idBytes))
    }
    return Buffer.concat(roots)
  }

  #register(entry: number, typeCode: number, sizeBytes: number): void {
    this.#entries.types[entry] = typeCode
    this.#entries.sizes[entry] = sizeBytes
    const member = this.known.add(this.#entries.ids, entry * idBytes)
    this.#entries.members[entry] = member
    if ((this.known.marks[member] & typeMask) !== 0) {
      const id = objectIdAt(this.#entries.ids, entry * idBytes)
      throw packInvalid(`it holds the object ${id} twice`, this.#entries.offsets[entry])
    }
    this.known.marks[member] |= typeCode
  }

  #readReferences(
    entry: number,
    { type, data, origin }: { type: Exclude<ObjectType, 'blob'>; data: Buffer; origin: TreeOrigin | undefined },
  ): Uint32Array | undefined {
    const idOf = () => objectIdAt(this.#entries.ids, entry * idBytes)
    if (type === 'tree') return this.trees.accept(data, idOf, origin)
    this.#checker?.check(type, data, idOf)
    if (type === 'commit') {
      const ids = commitIds(data)
      this.commits.begin(entry, this.#refer(ids, 0, typeCodes.tree), committerSeconds(data))
      for (let at = idBytes; at < ids.length; at += idBytes) {
        this.commits.addParent(this.#refer(ids, at, typeCodes.commit))
      }
    } else {
      const id = Buffer.allocUnsafe(idBytes)
      readHexId(data, 'object '.length, id, 0)
      this.#refer(id, 0, typeCodes[parseTag(data).type])
    }
    return undefined
  }

  /** Notes that something names this id as one of that type; its number. */
  #refer(bytes: Uint8Array, at: number, typeCode: number): number {
    const member = this.known.add(bytes, at)
    const marks = this.known.marks[member]
    const expected = marks >> expectedShift
    if (expected === typeCode) return member
    if (expected !== 0) throw wrongType(objectIdAt(bytes, at), expected, typeCode)
    this.known.marks[member] = marks | (typeCode << expectedShift)
    return member
  }

  /** `buffer` is given where the object's data, behind the room of `accept`, is shown. */
  #visit(entry: number, type: ObjectType, sizeBytes: number, buffer: Buffer | undefined): void {
    const { visit } = this.#options
    if (visit === undefined) return
    const { ids } = this.#entries
    visit(this.#shown.show({ type, sizeBytes, ids, idAt: entry * idBytes }, buffer, hashHeaderBytes))
  }
}

function wrongType(id: ObjectId, expected: number, found: number): HoldfastError {
  return new HoldfastError('ObjectInvalid', {
    message: `The object ${id} is named as a ${typeOfCode(expected)} and is, or is named elsewhere as, a ${typeOfCode(found)}.`,
  })
}
