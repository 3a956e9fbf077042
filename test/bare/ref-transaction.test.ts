/** Locks that others hold, and what a transaction leaves behind. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openBareRepository } from '../../src/bare/bare-repository.ts'
import { moveRefs } from '../../src/bare/ref-transaction.ts'
import type { ObjectId } from '../../src/git/object-id.ts'
import { git, makeHistory, temporaryFolder } from '../support/git-client.ts'

async function prepare(t: Test) {
  const path = join(temporaryFolder(t), 'r.git')
  makeHistory(path, { seed: 99, commits: 10 })
  const [tip, before] = (await git(path, 'rev-list', '-2', 'main')).split('\n') as ObjectId[]
  const repository = await openBareRepository(path)
  t.teardown(() => repository.close())
  const settings = { ...repository.settings.refs, refLockTimeoutMs: 20, packedRefsTimeoutMs: 20 }
  const move = (
    commands: [string, ObjectId | undefined, ObjectId | undefined][],
    changes: Partial<typeof settings> = {},
  ) =>
    moveRefs(
      repository.refStore,
      commands.map(([name, oldId, newId]) => ({ name, oldId, newId })),
      { ...settings, ...changes },
    )
  const locks = () =>
    readdirSync(path, { recursive: true })
      .map(String)
      .filter((file) => file.endsWith('.lock'))
  return { path, tip, before, move, locks, refs: () => git(path, 'for-each-ref') }
}

t.test('a ref that somebody else has locked stays as it is, and so do the others', async (t) => {
  const { path, tip, before, move, locks, refs } = await prepare(t)
  const was = await refs()
  writeFileSync(join(path, 'refs/heads/main.lock'), '')
  await t.rejects(
    move([
      ['refs/heads/a', undefined, tip],
      ['refs/heads/main', tip, before],
    ]),
    { code: 'Conflict', message: /cannot lock ref 'refs\/heads\/main': Unable to create '.*main\.lock': File exists/ },
  )
  t.equal(await refs(), was)
  t.same(locks(), ['refs/heads/main.lock'])
})

t.test('packed-refs is locked for deletions, before anything is deleted', async (t) => {
  const { path, tip, move, locks, refs } = await prepare(t)
  await git(path, 'pack-refs', '--all')
  const was = await refs()
  writeFileSync(join(path, 'packed-refs.lock'), '')
  await t.rejects(move([['refs/heads/main', tip, undefined]]), { code: 'Conflict', message: /packed-refs\.lock/ })
  t.equal(await refs(), was)
  t.same(locks(), ['packed-refs.lock'])
})

t.test('git’s words for what does not fit', async (t) => {
  const { path, tip, before, move, locks } = await prepare(t)
  await git(path, 'update-ref', 'refs/heads/x/y', tip)
  const cases: [Parameters<typeof move>[0], RegExp][] = [
    [[['refs/heads/main', before, tip]], /is at [0-9a-f]{40} but expected [0-9a-f]{40}/],
    [[['refs/heads/main', undefined, tip]], /reference already exists/],
    [[['refs/heads/none', tip, before]], /unable to resolve reference 'refs\/heads\/none'/],
    [[['refs/heads/x', undefined, tip]], /'refs\/heads\/x\/y' exists; cannot create 'refs\/heads\/x'/],
    [[['refs/heads/x/y/z', undefined, tip]], /'refs\/heads\/x\/y' exists; cannot create 'refs\/heads\/x\/y\/z'/],
    [
      [
        ['refs/heads/p', undefined, tip],
        ['refs/heads/p/q', undefined, tip],
      ],
      /cannot process 'refs\/heads\/p' and 'refs\/heads\/p\/q' at the same time/,
    ],
  ]
  for (const [commands, message] of cases) await t.rejects(move(commands), { code: 'Conflict', message })
  t.same(locks(), [])
})

t.test('a deleted ref leaves neither value, log nor folders, packed or not', async (t) => {
  const { path, tip, before, move, refs } = await prepare(t)
  await git(path, 'config', 'core.logAllRefUpdates', 'always')
  await git(path, 'update-ref', '--create-reflog', 'refs/heads/deep/er/one', tip)
  await git(path, 'pack-refs', '--all')
  await git(path, 'update-ref', 'refs/heads/deep/er/one', before)
  await move([['refs/heads/deep/er/one', before, undefined]])
  t.notMatch(await refs(), 'deep')
  t.notMatch(readFileSync(join(path, 'packed-refs'), 'utf8'), 'deep')
  t.notOk(readdirSync(join(path, 'refs/heads')).includes('deep'))
  t.notOk(readdirSync(join(path, 'logs/refs/heads')).includes('deep'))
  mkdirSync(join(path, 'refs/heads/deep/er/one/more'), { recursive: true })
  await move([['refs/heads/deep', undefined, tip]])
  t.equal(await git(path, 'rev-parse', 'deep'), tip)
  t.match(await git(path, 'for-each-ref', '--format=%(*objectname)', 'refs/tags/nested'), /^[0-9a-f]{40}$/)
})

t.test('logs that others left refuse a ref in git’s words, before anything has moved', async (t) => {
  const { path, tip, move, locks, refs } = await prepare(t)
  const logs = join(path, 'logs/refs/heads')
  mkdirSync(join(logs, 'x/empty'), { recursive: true })
  mkdirSync(join(logs, 'y'))
  writeFileSync(join(logs, 'y/stale'), '')
  symlinkSync(join(path, 'nowhere/at-all'), join(logs, 'link'))
  const settings = { logAllRefUpdates: true }
  const was = await refs()
  await t.rejects(
    move(
      [
        ['refs/heads/a', undefined, tip],
        ['refs/heads/y', undefined, tip],
      ],
      settings,
    ),
    { code: 'Conflict', message: /^cannot update the ref 'refs\/heads\/y': there are still logs under '.*\/y'$/ },
  )
  const linked = move([['refs/heads/link', undefined, tip]], settings)
  await t.rejects(linked, { code: 'Conflict', message: /unable to create directory for '.*link'/ })
  t.equal(await refs(), was)
  await move([['refs/heads/x', undefined, tip]], settings)
  t.match(readFileSync(join(logs, 'x'), 'utf8'), tip)
  t.same(locks(), [])
})

t.test('a packed ref is deleted whatever folders lie under its name', async (t) => {
  const { path, tip, move, locks, refs } = await prepare(t)
  await git(path, 'pack-refs', '--all')
  mkdirSync(join(path, 'refs/heads/main/empty'), { recursive: true })
  mkdirSync(join(path, 'logs/refs/heads/main'), { recursive: true })
  writeFileSync(join(path, 'logs/refs/heads/main/stale'), '')
  await move([['refs/heads/main', tip, undefined]])
  t.notMatch(await refs(), 'refs/heads/main')
  t.same(locks(), [])
})
