/** What commands print: results to standard output, words for people to standard error. */
import type { HoldfastError } from '../errors.ts'
import type { Role } from '../hub/principal.ts'

/** A line on standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** A line on standard error. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** What a person at the server should read of an expected error: for one that hides what it met, that too. */
export function describeError(error: HoldfastError): string {
  if (error.code !== 'Unavailable' || !(error.cause instanceof Error)) return error.message
  const { message, code } = error.cause as NodeJS.ErrnoException
  return `Database or object store do not answer (${message || code}). See that they run and that the settings name them.`
}

/** Prints rows under headings, columns aligned by two spaces. No rows: nothing but the headings. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [headings, ...rows].map((row) => row.map(visible))
  const widths = headings.map((_, column) => Math.max(...lines.map((row) => row[column].length)))
  for (const row of lines)
    print(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
}

/** The table of members or collaborators. */
export function printRoles(rows: readonly { name: string; role: Role }[]): void {
  printTable(
    ['USER', 'ROLE'],
    rows.map(({ name, role }) => [name, role]),
  )
}

/** A moment to the second in UTC, or a dash. */
export function formatTime(time: Date | null): string {
  return time === null ? '-' : time.toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Token names and the like come from outside: no control character of theirs may reach a terminal. */
function visible(cell: string): string {
  return cell.replace(/\p{Cc}/gu, '\u{fffd}')
}

/** A size for people, in powers of 1024. */
export function formatBytes(sizeBytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  const power = Math.min(units.length - 1, sizeBytes < 1 ? 0 : Math.floor(Math.log2(sizeBytes) / 10))
  return `${(sizeBytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}
