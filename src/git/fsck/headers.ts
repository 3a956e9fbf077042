/** The header lines of commits and tags, byte by byte as git's fsck.c reads them. */
import { readHexId } from '../object-id.ts'
import type { ReportFault } from './messages.ts'

const lineFeed = 10
const space = 0x20
const tab = 9
const less = 0x3c
const greater = 0x3e
const zero = 0x30
const idScratch = new Uint8Array(20)

/**
 * Headers end at an empty line or with the object, and hold no NUL: until this has returned true nothing may rely on a
 * line's end.
 */
export function checkHeaders(data: Buffer, report: ReportFault): boolean {
  const emptyLine = data.indexOf('\n\n')
  const nul = data.indexOf(0)
  if (nul >= 0 && (emptyLine < 0 || nul < emptyLine)) {
    report('nulInHeader', `unterminated header: NUL at offset ${nul}`)
    return false
  }
  if (emptyLine >= 0 || data[data.length - 1] === lineFeed) return true
  report('unterminatedHeader', 'unterminated header')
  return false
}

export function startsWith(data: Buffer, at: number, text: string): boolean {
  return data.toString('latin1', at, at + text.length) === text
}

/** True for 40 hex digits and the line's end. */
export function isIdLine(data: Buffer, at: number): boolean {
  return data[at + 40] === lineFeed && readHexId(data, at, idScratch, 0)
}

/** Where the line after the one at `at` begins. */
export function nextLine(data: Buffer, at: number): number {
  const end = data.indexOf(lineFeed, at)
  return end < 0 ? data.length : end + 1
}

/** `name <email> seconds +zone` at `at`; false where the object is refused. */
export function checkIdentity(data: Buffer, at: number, report: ReportFault): boolean {
  const dateAt = checkPerson(data, at, report)
  return typeof dateAt === 'boolean' ? dateAt : checkDate(data, dateAt, report)
}

/** Where what stands behind the email begins; a boolean where there is a fault before it. */
function checkPerson(data: Buffer, at: number, report: ReportFault): number | boolean {
  const fault = (id: Parameters<ReportFault>[0], text: string) => report(id, `invalid author/committer line - ${text}`)
  let position = at
  if (data[position] === less) return fault('missingNameBeforeEmail', 'missing space before email')
  for (; data[position] !== less; position++) {
    if (isLineEnd(data, position)) return fault('missingEmail', 'missing email')
    if (data[position] === greater) return fault('badName', 'bad name')
  }
  if (data[position - 1] !== space) return fault('missingSpaceBeforeEmail', 'missing space before email')
  for (position++; data[position] !== greater; position++) {
    if (isLineEnd(data, position) || data[position] === less) return fault('badEmail', 'bad email')
  }
  return data[position + 1] === space ? position + 2 : fault('missingSpaceBeforeDate', 'missing space before date')
}

function checkDate(data: Buffer, at: number, report: ReportFault): boolean {
  const fault = (id: Parameters<ReportFault>[0], text: string) => report(id, `invalid author/committer line - ${text}`)
  let position = at
  while (data[position] === space || data[position] === tab) position++
  const start = position
  if (!isDigit(data[position])) return fault('badDate', 'bad date')
  if (data[position] === zero && data[position + 1] !== space) return fault('zeroPaddedDate', 'zero-padded date')
  while (isDigit(data[position])) position++
  if (overflows(data.toString('latin1', start, position))) {
    return fault('badDateOverflow', 'date causes integer overflow')
  }
  if (data[position] !== space) return fault('badDate', 'bad date')
  const zone = data.toString('latin1', position + 1, position + 7)
  return /^[+-]\d{4}\n$/.test(zone) || fault('badTimezone', 'bad time zone')
}

function overflows(digits: string): boolean {
  return digits.length > 18 && BigInt(digits.slice(0, 24)) >= 2n ** 63n
}

function isLineEnd(data: Buffer, at: number): boolean {
  return at >= data.length || data[at] === lineFeed
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= 0x39
}
