/**
 * What may come in: the structure of commits, trees and tags, after git's fsck.c. Refused is what `git fsck` calls an
 * error, and of its warnings those that are dangerous on a checkout (`.git` in all its spellings, `..`, paths, null ids).
 * Accepted are the oddities of real histories: zero-padded modes, odd time zones, padded or unspaced dates, NULs in
 * messages, tags without tagger.
 */
import { readHexId } from './object-id.ts'
import type { ObjectType } from './repository.ts'
import { isDirectory, isSymlink, TreeCursor } from './tree.ts'

const lineFeed = 10
const slash = 0x2f
const idScratch = new Uint8Array(20)

/** What is wrong, as git's message id and a few words; undefined for a sound object. Blobs are always sound. */
export function findFault(type: ObjectType, data: Buffer): string | undefined {
  if (type === 'tree') return findTreeFault(data)
  if (type === 'commit') return findCommitFault(data)
  return type === 'tag' ? findTagFault(data) : undefined
}

function findCommitFault(data: Buffer): string | undefined {
  const fault = findHeaderFault(data)
  if (fault !== undefined) return fault
  if (!startsWith(data, 0, 'tree ')) return "missingTree: expected a 'tree' line"
  if (!isIdLine(data, 5)) return "badTreeSha1: invalid 'tree' line"
  let at = 46
  while (startsWith(data, at, 'parent ')) {
    if (!isIdLine(data, at + 7)) return "badParentSha1: invalid 'parent' line"
    at += 48
  }
  if (!startsWith(data, at, 'author ')) return "missingAuthor: expected an 'author' line"
  const authorFault = findIdentityFault(data, at + 7)
  if (authorFault !== undefined) return authorFault
  at = data.indexOf(lineFeed, at) + 1
  if (startsWith(data, at, 'author ')) return "multipleAuthors: more than one 'author' line"
  if (!startsWith(data, at, 'committer ')) return "missingCommitter: expected a 'committer' line"
  return findIdentityFault(data, at + 10)
}

function findTagFault(data: Buffer): string | undefined {
  const fault = findHeaderFault(data)
  if (fault !== undefined) return fault
  if (!startsWith(data, 0, 'object ')) return "missingObject: expected an 'object' line"
  if (!isIdLine(data, 7)) return "badObjectSha1: invalid 'object' line"
  if (!startsWith(data, 48, 'type ')) return "missingTypeEntry: expected a 'type' line"
  let end = data.indexOf(lineFeed, 48)
  if (end < 0) return "missingType: unexpected end after 'type' line"
  if (!/^(commit|tree|blob|tag)$/.test(data.toString('latin1', 53, end))) return "badType: invalid 'type' value"
  if (!startsWith(data, end + 1, 'tag ')) return "missingTagEntry: expected a 'tag' line"
  end = data.indexOf(lineFeed, end + 1)
  if (end < 0) return "missingTag: unexpected end after 'tag' line"
  return startsWith(data, end + 1, 'tagger ') ? findIdentityFault(data, end + 8) : undefined
}

function findTreeFault(data: Buffer): string | undefined {
  const cursor = new TreeCursor(data)
  const order = new TreeOrder(data)
  try {
    while (cursor.next()) {
      const fault = findNameFault(data, cursor) ?? order.add(cursor)
      if (fault !== undefined) return fault
      if (isNullId(data, cursor.idAt)) return 'nullSha1: an entry points to the null id'
    }
  } catch {
    return 'badTree: cannot be parsed as a tree'
  }
  return undefined
}

/** Headers end at an empty line or with the object, and hold no NUL. */
function findHeaderFault(data: Buffer): string | undefined {
  const emptyLine = data.indexOf('\n\n')
  const end = emptyLine < 0 ? data.length : emptyLine
  const nul = data.indexOf(0)
  if (nul >= 0 && nul < end) return 'nulInHeader: a NUL in the header'
  if (emptyLine < 0 && data[data.length - 1] !== lineFeed) return 'unterminatedHeader: unterminated header'
  return undefined
}

function findIdentityFault(data: Buffer, at: number): string | undefined {
  const end = data.indexOf(lineFeed, at)
  const line = data.toString('latin1', at, end < 0 ? data.length : end)
  const open = line.search(/[<>]/)
  if (open < 0) return 'missingEmail: an identity lacks its email'
  if (line[open] === '>') return "badName: an identity's name is malformed"
  if (open === 0) return 'missingNameBeforeEmail: an identity lacks the space before its email'
  if (line[open - 1] !== ' ') return 'missingSpaceBeforeEmail: an identity lacks the space before its email'
  const close = line.slice(open + 1).search(/[<>]/) + open + 1
  if (close === open || line[close] !== '>') return "badEmail: an identity's email is malformed"
  const date = /^[ \t]*(\d+) /.exec(line.slice(close + 1))
  if (date === null) return "badDate: an identity's date is malformed"
  if (BigInt(date[1]) >= 2n ** 63n) return "badDateOverflow: an identity's date is out of range"
  return undefined
}

function findNameFault(data: Buffer, cursor: TreeCursor): string | undefined {
  const { nameAt, nameEnd } = cursor
  const length = nameEnd - nameAt
  if (length === 0) return 'emptyName: an entry has no name'
  const first = data[nameAt]
  if (first === 0x2e && length === 1) return "hasDot: an entry is named '.'"
  if (first === 0x2e && length === 2 && data[nameAt + 1] === 0x2e) return "hasDotdot: an entry is named '..'"
  // What can only be harmless is by far the most: no dot or G in front, no backslash, no byte of an invisible character.
  let isSuspect = first === 0x2e || first === 0x67 || first === 0x47
  for (let at = nameAt; at < nameEnd; at++) {
    const byte = data[at]
    if (byte === slash) return 'fullPathname: an entry is named by a path'
    if (byte === 0x5c || byte === 0xe2 || byte === 0xef) isSuspect = true
  }
  if (!isSuspect) return undefined
  const name = data.toString('utf8', nameAt, nameEnd)
  if (isDotName(name, dotGit)) return "hasDotgit: an entry is named '.git', or a file system would take it for that"
  if (isSymlink(cursor.mode) && isDotName(name, dotGitmodules))
    return 'gitmodulesSymlink: .gitmodules is a symbolic link'
  return undefined
}

// What NTFS takes for the name (short names, trailing dots and spaces, streams) after any backslash, as in git's path.c.
const dotGit = /(?:^|\\)(?:\.git|git~1)[. ]*(?:$|[\\:])/i
const dotGitmodules = /(?:^|\\)(?:\.gitmodules|gitmod~[1-4]|gi7eba~[1-9]|gi7eb~[1-9][0-9])[. ]*(?:$|[\\:])/i
/** Characters that HFS+ ignores in names. */
const invisible = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

function isDotName(name: string, pattern: RegExp): boolean {
  return pattern.test(name) || pattern.test(name.replace(invisible, ''))
}

/** Checks order and uniqueness of the names of one tree, entry by entry. */
class TreeOrder {
  readonly #data: Buffer
  #nameAt = -1
  #nameEnd = 0
  #isDirectory = false
  /**
   * Files that a directory of the same name may still follow, since `foo/` sorts behind `foo.bar`: pairs of name start
   * and end, each the beginning of the next.
   */
  readonly #openFiles: number[] = []

  constructor(data: Buffer) {
    this.#data = data
  }

  add(cursor: TreeCursor): string | undefined {
    const isDirectoryNow = isDirectory(cursor.mode)
    const fault = this.#nameAt < 0 ? undefined : this.#compare(cursor.nameAt, cursor.nameEnd, isDirectoryNow)
    this.#nameAt = cursor.nameAt
    this.#nameEnd = cursor.nameEnd
    this.#isDirectory = isDirectoryNow
    return fault
  }

  #compare(nameAt: number, nameEnd: number, isDirectoryNow: boolean): string | undefined {
    const data = this.#data
    let a = this.#nameAt
    let b = nameAt
    while (a < this.#nameEnd && b < nameEnd && data[a] === data[b]) {
      a++
      b++
    }
    if (a === this.#nameEnd && b === nameEnd) return duplicate
    const lastByte = a < this.#nameEnd ? data[a] : this.#isDirectory ? slash : 0
    const nextByte = b < nameEnd ? data[b] : isDirectoryNow ? slash : 0
    if (lastByte > nextByte) return 'treeNotSorted: entries are not in order'
    if (lastByte === 0 && nextByte < slash) this.#openFiles.push(this.#nameAt, this.#nameEnd)
    else if (nextByte === slash && b === nameEnd && lastByte < slash) return this.#closeFiles(nameAt, nameEnd)
    return undefined
  }

  #closeFiles(nameAt: number, nameEnd: number): string | undefined {
    const data = this.#data
    while (this.#openFiles.length > 0) {
      const fileEnd = this.#openFiles.pop() as number
      const fileAt = this.#openFiles.pop() as number
      const length = fileEnd - fileAt
      if (length > nameEnd - nameAt || data.compare(data, fileAt, fileEnd, nameAt, nameAt + length) !== 0) continue
      if (length === nameEnd - nameAt) return duplicate
      if (data[nameAt + length] < slash) {
        this.#openFiles.push(fileAt, fileEnd)
        return undefined
      }
    }
    return undefined
  }
}

const duplicate = 'duplicateEntries: two entries have one name'

function startsWith(data: Buffer, at: number, text: string): boolean {
  return data.toString('latin1', at, at + text.length) === text
}

function isIdLine(data: Buffer, at: number): boolean {
  return data[at + 40] === lineFeed && readHexId(data, at, idScratch, 0)
}

function isNullId(data: Buffer, at: number): boolean {
  for (let index = at; index < at + 20; index++) if (data[index] !== 0) return false
  return true
}
