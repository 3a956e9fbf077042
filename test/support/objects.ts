/** Git objects made by hand, and an object database of them in memory. */
import { hash } from 'node:crypto'
import { formatCommit } from '../../src/git/commit.ts'
import type { ObjectId } from '../../src/git/object-id.ts'
import { formatFreshPack } from '../../src/git/pack/fresh-pack.ts'
import { PackFile } from '../../src/git/pack/pack-file.ts'
import { PackIndex } from '../../src/git/pack/pack-index.ts'
import { PackSet } from '../../src/git/pack/pack-set.ts'
import { receivePackFile } from '../../src/git/pack/receive-pack-file.ts'
import type { GitObject, ObjectType, Ordinal } from '../../src/git/repository.ts'
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

/** The objects in one pack, through the checks of a push. */
export async function openObjects(list: readonly MadeObject[], objectHeldMaxBytes = 2 ** 24): Promise<MadeObjects> {
  const different = [...new Map(list.map((object) => [object.id, object])).values()]
  const spool = memorySpool()
  const existing = new PackSet([], { objectHeldMaxBytes })
  const input = (async function* () {
    yield formatFreshPack(different)
  })()
  const { index } = await receivePackFile(input, { spool, existing, limits })
  const objects = new PackSet([new PackFile(new PackIndex(index), spool.file, false)], { objectHeldMaxBytes })
  return { objects, ordinalOf: ({ id }) => objects.locate(Buffer.from(id, 'hex')) }
}
