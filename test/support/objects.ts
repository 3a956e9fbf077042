/** Git objects made by hand, and an object database of them in memory. */
import { hash } from 'node:crypto'
import { formatCommit } from '../../src/git/commit.ts'
import type { ObjectId } from '../../src/git/object-id.ts'
import { completeReceived } from '../../src/git/pack/complete-side-car.ts'
import { formatFreshPack } from '../../src/git/pack/fresh-pack.ts'
import type { PackBytes } from '../../src/git/pack/pack-bytes.ts'
import { PackFile } from '../../src/git/pack/pack-file.ts'
import { PackIndex } from '../../src/git/pack/pack-index.ts'
import { PackSet } from '../../src/git/pack/pack-set.ts'
import { type ReceivedPack, receivePackFile } from '../../src/git/pack/receive-pack-file.ts'
import { SideCar } from '../../src/git/pack/side-car.ts'
import type { GitObject, ObjectDatabase, ObjectType, Ordinal, StoredEntry } from '../../src/git/repository.ts'
import { directoryMode, fileMode, formatTree } from '../../src/git/tree.ts'
import { memorySpool } from './raw-pack.ts'

export type MadeObject = GitObject & { id: ObjectId }

export function made(type: ObjectType, content: Buffer | string): MadeObject {
  const data = Buffer.from(content)
  return { type, data, id: hash('sha1', Buffer.concat([Buffer.from(`${type} ${data.length}\0`), data])) as ObjectId }
}

/** A tree of files and folders, by name. */
export function makeTree(entries: Record<string, MadeObject> = {}): MadeObject {
  const list = Object.entries(entries).map(([name, { type, id }]) => ({
    mode: type === 'tree' ? directoryMode : fileMode,
    name,
    id,
  }))
  return made('tree', formatTree(list))
}

/** A commit; `seconds` is its committer date. */
export function makeCommit(tree: MadeObject, parents: readonly MadeObject[] = [], seconds = 1): MadeObject {
  const person = { name: 'Ada', email: 'ada@example.org', seconds, timezone: '+0000' }
  const parentIds = parents.map(({ id }) => id)
  return made('commit', formatCommit({ treeId: tree.id, parentIds, author: person, committer: person, message: 'm\n' }))
}

export function makeTag({ id, type }: MadeObject, name = 'v1'): MadeObject {
  return made('tag', `object ${id}\ntype ${type}\ntag ${name}\ntagger Ada <ada@example.org> 1 +0000\n\n${name}\n`)
}

export interface MadeObjects {
  objects: PackSet
  ordinalOf(object: MadeObject): Ordinal
}

const limits = {
  gitPackMaxBytes: 2 ** 30,
  gitPackMaxObjects: 100_000,
  gitObjectHeldMaxBytes: 2 ** 24,
  gitDeltaDepthMax: 50,
}

/** The objects in one pack, received as a push is. */
export async function openObjects(list: readonly MadeObject[], objectHeldMaxBytes = 2 ** 24): Promise<MadeObjects> {
  const different = [...new Map(list.map((object) => [object.id, object])).values()]
  const spool = memorySpool()
  const existing = new PackSet([], { objectHeldMaxBytes })
  const input = (async function* () {
    yield formatFreshPack(different)
  })()
  const incomplete = await receivePackFile(input, { spool, existing, limits })
  const complete = { bytes: spool.file, surroundings: existing, isBounded: true }
  const received = await completeReceived(incomplete, complete)
  const objects = new PackSet([openReceived(received, spool.file)], { objectHeldMaxBytes })
  return { objects, ordinalOf: ({ id }) => objects.locate(Buffer.from(id, 'hex')) }
}

/** Every object of a database, to be put into another. */
export function readAllObjects(objects: ObjectDatabase): MadeObject[] {
  return Array.from({ length: objects.ordinalCount }, (_, ordinal) => {
    return { ...objects.read(ordinal), id: objects.idOf(ordinal) }
  })
}

/** A received pack, with its side-car. */
export function openReceived(received: ReceivedPack, bytes: PackBytes): PackFile {
  const index = new PackIndex(received.index)
  return new PackFile(index, bytes, received.isThin, new SideCar(received.sideCar, index))
}

/** How a packed object is stored. Throws where it is not in a pack. */
export function storedEntry(objects: ObjectDatabase, ordinal: Ordinal): StoredEntry {
  const entry: StoredEntry = { pack: -1, offset: 0, end: 0, base: -1, ofsDistance: 0 }
  if (!objects.readStored(ordinal, entry)) throw new Error(`Object ${ordinal} is not in a pack.`)
  return entry
}
