/**
 * Runs tap with the arguments given (all of test/ without any) and prints one line a test file, every failure in full, and
 * the countable closing line `N passed, N failed[, N skipped]`. The exit status is tap's own.
 */
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

// tap is put together from the plugins that package.json names, once after every installation: 7 s.
const builtMark = new URL('../../node_modules/.tap-built', import.meta.url)
if (!existsSync(builtMark)) {
  const { status } = spawnSync('tap', ['build'], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
  writeFileSync(builtMark, '')
}

const counts = { pass: 0, fail: 0, skip: 0, todo: 0 }
/** Indentation of the failure whose diagnostics are being printed. */
let failing: number | undefined

const tap = spawn('tap', ['run', '--reporter=tap', ...process.argv.slice(2)], {
  stdio: ['ignore', 'pipe', 'inherit'],
  // By which the test files of this run find their PostgreSQL (test/support/postgres.ts).
  env: { ...process.env, HOLDFAST_TEST_RUN: randomUUID() },
})
createInterface({ input: tap.stdout }).on('line', showLine)

tap.on('close', (code) => {
  const extra = counts.skip + counts.todo > 0 ? `, ${counts.skip + counts.todo} skipped` : ''
  console.log(`${counts.pass} passed, ${counts.fail} failed${extra}`)
  process.exitCode = code ?? 1
})

/** One line of TAP version 14 (https://testanything.org/tap-version-14-specification.html). */
function showLine(line: string): void {
  const totals = /^# (\{ total: .*\})$/.exec(line)
  if (totals !== null) readCounts(totals[1])
  const indent = line.length - line.trimStart().length
  if (/^\s*not ok /.test(line)) failing = indent
  else if (failing !== undefined && !isDiagnostic(line, indent, failing)) failing = undefined
  if (failing !== undefined || /^(ok |Bail out!)/.test(line)) console.log(line)
}

/** A YAML block follows its test point, two spaces deeper. */
function isDiagnostic(line: string, indent: number, point: number): boolean {
  return line.trim() === '' || indent >= point + 2
}

function readCounts(text: string): void {
  for (const [, name, count] of text.matchAll(/(\w+): (\d+)/g)) {
    if (name in counts) counts[name as keyof typeof counts] = Number(count)
  }
}
