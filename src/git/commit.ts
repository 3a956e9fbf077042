/**
 * Commits (gitdatamodel; there is no closer spec than git's commit.c): a tree, parents, author, committer, then further
 * headers, an empty line and the message. Reading is lenient: fsck/ decides what may come in.
 */
import { HoldfastError } from '../errors.ts'
import { formatIdentity, type Identity, parseIdentity } from './identity.ts'
import { type ObjectId, objectIdAt, readHexId } from './object-id.ts'

export interface Commit {
  treeId: ObjectId
  parentIds: ObjectId[]
  author: Identity
  committer: Identity
  /** The message's character set where it is not UTF-8. */
  encoding: string | undefined
  message: string
}

const treeLineBytes = 46
const parentLineBytes = 48
const lineFeed = 10

/**
 * The ids a commit names, 20 bytes each: its tree, then its parents in order. Throws ObjectInvalid where the tree's line
 * is not one.
 */
export function commitIds(data: Buffer): Buffer {
  let parents = 0
  while (isParentLine(data, treeLineBytes + parents * parentLineBytes)) parents++
  const ids = Buffer.allocUnsafe(20 * (parents + 1))
  if (
    data.toString('latin1', 0, 5) !== 'tree ' ||
    data[treeLineBytes - 1] !== lineFeed ||
    !readHexId(data, 5, ids, 0)
  ) {
    throw new HoldfastError('ObjectInvalid', { message: 'A commit does not begin with its tree.' })
  }
  for (let parent = 0; parent < parents; parent++) {
    const at = treeLineBytes + parent * parentLineBytes
    if (!readHexId(data, at + 7, ids, 20 * (parent + 1))) {
      throw new HoldfastError('ObjectInvalid', { message: 'A commit has a malformed parent line.' })
    }
  }
  return ids
}

/** The committer's date in seconds since 1970; 0 where there is none that can be read, as git takes it. */
export function committerSeconds(data: Buffer): number {
  let at = treeLineBytes
  while (isParentLine(data, at)) at += parentLineBytes
  const line = data.indexOf(lineFeed, at) + 1
  if (line === 0 || data.toString('latin1', line, line + 10) !== 'committer ') return 0
  const end = data.indexOf(lineFeed, line)
  if (end < 0) return 0
  let digit = data.lastIndexOf(0x3e, end) + 1
  if (digit <= line) return 0
  while (data[digit] === 0x20) digit++
  let seconds = 0
  while (data[digit] >= 0x30 && data[digit] <= 0x39) seconds = seconds * 10 + data[digit++] - 0x30
  return Math.min(seconds, Number.MAX_SAFE_INTEGER)
}

/** The whole commit for people to read. Throws ObjectInvalid where the tree's line is not one. */
export function parseCommit(data: Buffer): Commit {
  const ids = commitIds(data)
  const bodyAt = data.indexOf('\n\n')
  const head = data.toString('utf8', 0, bodyAt < 0 ? data.length : bodyAt)
  const header = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(head)?.[1]
  const parentIds: ObjectId[] = []
  for (let at = 20; at < ids.length; at += 20) parentIds.push(objectIdAt(ids, at))
  return {
    treeId: objectIdAt(ids),
    parentIds,
    author: parseIdentity(header('author') ?? ''),
    committer: parseIdentity(header('committer') ?? ''),
    encoding: header('encoding'),
    message: bodyAt < 0 ? '' : data.toString('utf8', bodyAt + 2),
  }
}

/** The bytes of a new commit, in UTF-8. */
export function formatCommit(commit: Omit<Commit, 'encoding'>): Buffer {
  const lines = [
    `tree ${commit.treeId}`,
    ...commit.parentIds.map((parentId) => `parent ${parentId}`),
    `author ${formatIdentity(commit.author)}`,
    `committer ${formatIdentity(commit.committer)}`,
    '',
    commit.message,
  ]
  return Buffer.from(lines.join('\n'))
}

function isParentLine(data: Buffer, at: number): boolean {
  return (
    data[at] === 0x70 &&
    data.toString('latin1', at, at + 7) === 'parent ' &&
    data[at + parentLineBytes - 1] === lineFeed
  )
}
