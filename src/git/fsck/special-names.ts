/**
 * Names that mean something to Git, in all spellings that some file system takes for them (git's path.c and utf8.c): any
 * case; on NTFS short names, dots, spaces and streams at the end; on HFS+ characters that it ignores.
 */

/** Bits, since a name behind a backslash may be several. */
export const dotGit = 1
export const dotGitmodules = 2
export const dotGitattributes = 4
export const dotGitignore = 8
export const dotMailmap = 16

/** Characters that HFS+ ignores in names. */
const invisible = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

interface SpecialName {
  bit: number
  ntfs: RegExp
  hfs: RegExp
}

const files: readonly SpecialName[] = [
  special(dotGitmodules, 'gitmodules', 'gi7eba'),
  special(dotGitattributes, 'gitattributes', 'gi7d29'),
  special(dotGitignore, 'gitignore', 'gi250a'),
  special(dotMailmap, 'mailmap', 'maba30'),
]
const git: SpecialName = { bit: dotGit, ntfs: /^(?:\.git|git~1)[. ]*(?:$|[\\/:])/i, hfs: /^\.git$/i }

/** What stands in a name that matters here; one pass over the bytes finds all of it. */
export const hasSlash = 1
const hasTilde = 2
/** A backslash, or the first byte of a character that HFS+ may ignore. */
const hasOddity = 4

/** Bits of what stands in a name. */
export function scanName(data: Buffer, at: number, end: number): number {
  let found = 0
  for (let position = at; position < end; position++) {
    const byte = data[position]
    if (byte === 0x2f) found |= hasSlash
    else if (byte === 0x7e) found |= hasTilde
    else if (byte === 0x5c || byte === 0xe2 || byte === 0xef) found |= hasOddity
  }
  return found
}

/** Which of the names the bytes may be; 0 for nearly all. `scanned` is what `scanName` found in them. */
export function specialNamesOf(data: Buffer, at: number, end: number, scanned: number): number {
  if (!isSuspect(data, at, scanned)) return 0
  const name = data.toString('utf8', at, end)
  const visible = (scanned & hasOddity) === 0 ? name : name.replace(invisible, '')
  let bits = 0
  for (const { bit, ntfs, hfs } of [git, ...files]) if (ntfs.test(name) || hfs.test(visible)) bits |= bit
  if (!name.includes('\\')) return bits
  // Behind a backslash git looks for these two.
  for (const part of name.split('\\').slice(1)) {
    for (const { bit, ntfs } of [git, files[0]]) if (ntfs.test(part)) bits |= bit
  }
  return bits
}

/** `.g…` and `.m…`, short names with their tilde, and whatever holds an oddity. */
function isSuspect(data: Buffer, at: number, scanned: number): boolean {
  if ((scanned & (hasTilde | hasOddity)) !== 0) return true
  const second = data[at + 1] | 0x20
  return data[at] === 0x2e && (second === 0x67 || second === 0x6d)
}

/** `fallback` is the short name that NTFS makes by hashing where the usual ones are taken. */
function special(bit: number, name: string, fallback: string): SpecialName {
  const shortNames = [`${name.slice(0, 6)}~[1-4]`]
  for (let kept = 0; kept <= 6; kept++) shortNames.push(`${fallback.slice(0, kept)}~[1-9][0-9]{${6 - kept}}`)
  return {
    bit,
    ntfs: new RegExp(`^(?:\\.${name}|${shortNames.join('|')})[. ]*(?:$|:)`, 'i'),
    hfs: new RegExp(`^\\.${name}$`, 'i'),
  }
}
