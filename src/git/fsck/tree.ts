/**
 * What `git fsck` says of trees (fsck.c, fsck_tree). Each fault of a tree is told once; while its entries are passed only
 * bits are set, since nearly all trees have none.
 */
import { IdSet } from '../pack/id-set.ts'
import { isSymlink, TreeCursor } from '../tree.ts'
import type { MessageId, ReportFault } from './messages.ts'
import {
  dotGit,
  dotGitattributes,
  dotGitignore,
  dotGitmodules,
  dotMailmap,
  hasSlash,
  scanName,
  specialNamesOf,
} from './special-names.ts'
import { duplicate, notSorted, TreeOrder } from './tree-order.ts'

const dot = 0x2e
const idBytes = 20

/** Files that Git obeys: what they hold is looked at once all objects are there (named-files.ts). */
export class NamedFiles {
  readonly modules = new IdSet()
  readonly attributes = new IdSet()
}

/** In the order in which they are told: those that git tells when it meets them, then the others. */
const faults: readonly [MessageId, string][] = [
  ['gitmodulesSymlink', '.gitmodules is a symbolic link'],
  ['gitattributesSymlink', '.gitattributes is a symlink'],
  ['gitignoreSymlink', '.gitignore is a symlink'],
  ['mailmapSymlink', '.mailmap is a symlink'],
  ['badTree', 'cannot be parsed as a tree'],
  ['nullSha1', 'contains entries pointing to null sha1'],
  ['fullPathname', 'contains full pathnames'],
  ['hasDot', "contains '.'"],
  ['hasDotdot', "contains '..'"],
  ['hasDotgit', "contains '.git'"],
  ['zeroPaddedFilemode', 'contains zero-padded file modes'],
  ['badFilemode', 'contains bad file modes'],
  ['duplicateEntries', 'contains duplicate file entries'],
  ['treeNotSorted', 'not properly sorted'],
  ['largePathname', 'contains excessively large pathname'],
]
const bitOf = Object.fromEntries(faults.map(([id], index) => [id, 1 << index])) as Record<MessageId, number>

const { badTree, hasDot, hasDotdot, fullPathname, largePathname, hasDotgit } = bitOf

/**
 * Adds the files that Git obeys to `named`. `nameMaxBytes`: longer ones are excessively large. True where there is no fault
 * at all, not even one that the settings pass over.
 */
export function checkTree(data: Buffer, report: ReportFault, named: NamedFiles, nameMaxBytes: number): boolean {
  const found = findTreeFaults(data, named, nameMaxBytes)
  if (found === 0) return true
  for (const [id, text] of faults) if ((found & bitOf[id]) !== 0 && !report(id, text)) break
  return false
}

/** As bits, which only `checkTree` can read; 0 where there are none. Adds to `named` as it does. */
export function findTreeFaults(data: Buffer, named: NamedFiles, nameMaxBytes: number): number {
  const cursor = new TreeCursor(data)
  const order = new TreeOrder(data)
  let found = 0
  try {
    while (cursor.next()) {
      found |= findEntryFaults(data, cursor, named, nameMaxBytes)
      const place = order.add(cursor)
      if (place === duplicate) found |= bitOf.duplicateEntries
      else if (place === notSorted) found |= bitOf.treeNotSorted
    }
  } catch {
    found |= badTree
  }
  return found
}

/** Those that the cursor's entry has by itself, wherever it stands. */
export function findEntryFaults(data: Buffer, cursor: TreeCursor, named: NamedFiles, nameMaxBytes: number): number {
  const scanned = scanName(data, cursor.nameAt, cursor.nameEnd)
  let found = nameFaults(data, cursor, nameMaxBytes) | specialFaults(data, cursor, scanned, named)
  if ((scanned & hasSlash) !== 0) found |= fullPathname
  if (data[cursor.entryAt] === 0x30) found |= bitOf.zeroPaddedFilemode
  if (!isUsualMode(cursor.mode)) found |= bitOf.badFilemode
  if (isNullId(data, cursor.idAt)) found |= bitOf.nullSha1
  return found
}

function nameFaults(data: Buffer, { nameAt, nameEnd }: TreeCursor, nameMaxBytes: number): number {
  const length = nameEnd - nameAt
  // git's parser takes such a tree for none, so that its `emptyName` is never told.
  if (length === 0) return badTree
  if (data[nameAt] === dot && length === 1) return hasDot
  if (data[nameAt] === dot && length === 2 && data[nameAt + 1] === dot) return hasDotdot
  return length > nameMaxBytes ? largePathname : 0
}

function specialFaults(data: Buffer, cursor: TreeCursor, scanned: number, named: NamedFiles): number {
  const { nameAt, nameEnd, idAt, mode } = cursor
  const names = specialNamesOf(data, nameAt, nameEnd, scanned)
  if (names === 0) return 0
  let found = (names & dotGit) !== 0 ? hasDotgit : 0
  if (isSymlink(mode)) {
    if (names & dotGitmodules) found |= bitOf.gitmodulesSymlink
    if (names & dotGitattributes) found |= bitOf.gitattributesSymlink
    if (names & dotGitignore) found |= bitOf.gitignoreSymlink
    if (names & dotMailmap) found |= bitOf.mailmapSymlink
    return found
  }
  if (names & dotGitmodules) named.modules.add(data, idAt)
  if (names & dotGitattributes) named.attributes.add(data, idAt)
  return found
}

function isUsualMode(mode: number): boolean {
  return mode === 0o100644 || mode === 0o040000 || mode === 0o100755 || mode === 0o120000 || mode === 0o160000
}

function isNullId(data: Buffer, at: number): boolean {
  for (let index = at; index < at + idBytes; index++) if (data[index] !== 0) return false
  return true
}
