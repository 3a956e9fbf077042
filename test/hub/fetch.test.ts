/** What a reader gets of a hosted repository: any object that a ref they see leads to, and nothing else. */
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { setCollaborator } from '../../src/hub/collaborators.ts'
import { fetch as fetchObjects } from '../../src/hub/fetch.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { operator } from '../../src/hub/principal.ts'
import { addRule } from '../../src/hub/ref-rules.ts'
import { run, temporaryFolder } from '../support/git.ts'
import { addPerson, gitUrl } from '../support/house.ts'
import { openPushScene } from '../support/push-scene.ts'
import { fetchCommand, packets } from '../support/raw-fetch.ts'

/** `main` is public, `refs/internal/plan` is not; each has a blob, a tag, and a list of paths of its own. */
async function openScene(t: Test, options = {}) {
  const scene = await openPushScene(t, options)
  const { hub, repo, git, commit, server } = scene
  await commit('first', { 'a.txt': 'first', paths: '/a.txt\n' })
  const shown = await commit('second', { 'a.txt': 'second' })
  await git('tag', '-a', '-m', 'v1', 'v1')
  await git('push', '-q', 'origin', 'main', 'v1')
  const secret = await commit('plan', { 'plan.txt': 'secret', paths: '/plan.txt\n' })
  await git('tag', '-a', '-m', 'plan', 'plan', shown)
  await git('push', '-q', 'origin', `${secret}:refs/internal/plan`, 'plan:refs/internal/tag')
  await addRule(hub, await openRepo(hub, operator, repo, 'admin'), { pattern: 'refs/internal/*', hidden: true })
  const reader = await addPerson(hub, 'bob')
  await setCollaborator(hub, repo, 'bob', 'read')
  const url = gitUrl(server, reader, 'alice/model')
  const empty = join(temporaryFolder(t), 'empty')
  await run('git', ['init', '-q', empty])
  const fetch = (...args: string[]) => run('git', ['fetch', '-q', ...args], { cwd: empty })
  const idOf = async (rev: string) => (await git('rev-parse', rev)).stdout.trim()
  return { ...scene, shown, secret, url, empty, fetch, idOf }
}

t.test('groups 22 and 28: trees and blobs, tip or not, of what is seen alone', async (t) => {
  const { fetch, idOf, url } = await openScene(t)
  for (const rev of ['main~2', 'main~2^{tree}', 'main~2:a.txt', 'main~1:a.txt', 'v1']) {
    t.equal((await fetch(url, await idOf(rev))).status, 0, rev)
  }
  for (const rev of ['main', 'main^{tree}', 'main:plan.txt', 'main:paths', 'plan']) {
    const { status, stderr } = await fetch(url, await idOf(rev))
    t.not(status, 0, rev)
    t.match(stderr, 'not our ref')
  }
})

t.test('group 16: no way around a hidden ref', async (t) => {
  const { fetch, idOf, url, empty, shown } = await openScene(t)
  const asked: Record<string, string[]> = {
    "couldn't find remote ref": [url, 'refs/internal/plan'],
    'ambiguous deepen-not': ['--shallow-exclude=refs/internal/plan', url, 'main'],
    'unable to access sparse blob': ['--filter=sparse:oid=refs/internal/plan:paths', url, 'main'],
    'unable to access sparse blob in': [`--filter=sparse:oid=${await idOf('main:paths')}`, url, 'main'],
  }
  for (const [answer, args] of Object.entries(asked)) {
    const { status, stderr } = await fetch(...args)
    t.not(status, 0, args.join(' '))
    t.match(stderr, answer)
  }
  t.equal((await fetch('--filter=sparse:oid=main:paths', url, 'main:got')).status, 0)
  t.equal((await run('git', ['rev-parse', 'got'], { cwd: empty })).stdout.trim(), shown)
  const clone = join(empty, 'clone')
  await run('git', ['clone', '-q', '--single-branch', url, clone])
  const objects = (await run('git', ['cat-file', '--batch-all-objects', '--batch-check'], { cwd: clone })).stdout
  t.match(objects, await idOf('v1'), 'tags come along')
  t.notMatch(objects, await idOf('plan'), 'but no hidden ones')
})

/** The answer to one raw request to upload-pack, as text in latin1. */
async function post(url: string, body: Buffer, version: 0 | 2 = 2) {
  const { origin, pathname, username, password } = new URL(url)
  const headers = {
    authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
    'git-protocol': `version=${version}`,
    'content-type': 'application/x-git-upload-pack-request',
  }
  const response = await fetch(`${origin}${pathname}/git-upload-pack`, { method: 'POST', headers, body })
  if (response.status !== 200) throw new Error(`upload-pack answered ${response.status}`)
  return Buffer.from(await response.arrayBuffer()).toString('latin1')
}

/** One round of a negotiation over a want, with a have: what asks for it, in each grammar. */
function rounds(want: string): { version: 0 | 2; request: (have: string) => Buffer }[] {
  const version2 = [[], ['wait-for-done']].map((args) => ({
    version: 2 as const,
    request: (have: string) => fetchCommand(`want ${want}`, ...args, `have ${have}`),
  }))
  const capabilities = ['', ' multi_ack', ' multi_ack_detailed', ' multi_ack_detailed no-done']
  const version0 = capabilities.map((words) => ({
    version: 0 as const,
    request: (have: string) => packets(`want ${want}${words}`, '0000', `have ${have}`, '0000'),
  }))
  return [...version2, ...version0]
}

t.test('a have that only hidden refs lead to is answered as one that is not here', async (t) => {
  const { hub, repo, server, idOf, url, shown, secret } = await openScene(t)
  const carol = await addPerson(hub, 'carol')
  await setCollaborator(hub, repo, 'carol', 'write')
  const writer = gitUrl(server, carol, 'alice/model')
  const hidden = [secret, await idOf('plan'), await idOf(`${secret}^{tree}`), await idOf(`${secret}:plan.txt`)]
  const visible = [shown, await idOf('v1'), await idOf(`${shown}~1`), await idOf(`${shown}^{tree}`)]
  for (const { version, request } of rounds(shown)) {
    const ask = (who: string, have: string) => post(who, request(have), version)
    const answer = await ask(url, 'f'.repeat(40))
    t.match(answer, 'NAK')
    for (const id of hidden) {
      t.equal(await ask(url, id), answer)
      t.match(await ask(writer, id), `ACK ${id}`)
    }
    for (const id of visible) t.match(await ask(url, id), `ACK ${id}`)
  }
  // Nor is anything left out, or made a delta, for who says that they have it.
  const whole = (have: string) => post(url, fetchCommand(`want ${shown}`, `have ${have}`, 'no-progress', 'done'))
  for (const id of hidden) t.equal(await whole(id), await whole('f'.repeat(40)))
})

t.test('nor has it a size', async (t) => {
  const { idOf, url, shown, secret } = await openScene(t)
  const sizeOf = (id: string) => post(url, packets('command=object-info', '0001', 'size', `oid ${id}`, '0000'))
  const absent = 'f'.repeat(40)
  t.match(await sizeOf(shown), new RegExp(`${shown} [1-9]`))
  for (const id of [secret, await idOf('plan'), await idOf(`${secret}:plan.txt`)]) {
    t.equal((await sizeOf(id)).replace(id, absent), await sizeOf(absent))
  }
})

t.test('a client whose history is said to end at what is hidden gets nothing of it', async (t) => {
  const { git, commit, url, shown, secret } = await openScene(t)
  const beyond = await commit('plan for later', { 'plan.txt': 'later' })
  await git('push', '-q', 'origin', `${beyond}:refs/internal/later`)
  const ask = (shallow: string, ...args: string[]) =>
    post(url, fetchCommand(`want ${shown}`, `shallow ${shallow}`, ...args, 'no-progress', 'done'))
  const idOf = async (rev: string) => (await git('rev-parse', rev)).stdout.trim()
  const hidden = { tip: beyond, ancestor: secret, tree: await idOf(`${beyond}^{tree}`), tag: await idOf('plan') }
  for (const args of [[], ['deepen 1'], ['deepen 2147483647'], ['deepen 1', 'deepen-relative']]) {
    const answer = await ask('f'.repeat(40), ...args)
    t.match(answer, /packfile|no commits selected/)
    for (const [name, id] of Object.entries(hidden)) t.equal(await ask(id, ...args), answer, `${name} ${args.join()}`)
    t.match(await ask(await idOf(`${shown}^{tree}`), ...args), 'ERR invalid shallow object')
  }
  const parent = await idOf(`${shown}~1`)
  t.match(await ask(parent, 'deepen 2147483647'), `unshallow ${parent}`)
})

t.test('the log tells which client it was', async (t) => {
  const lines: Record<string, unknown>[] = []
  const stream = new PassThrough()
  stream.on('data', (line) => lines.push(JSON.parse(line)))
  const { url, empty } = await openScene(t, { logger: pino(stream) })
  await run('git', ['-c', 'transfer.advertiseSID=true', 'fetch', '-q', url, 'main'], { cwd: empty })
  const isTold = () =>
    lines.some(({ gitSession, gitAgent }) => gitSession !== undefined && /^git\//.test(String(gitAgent)))
  while (!isTold()) await new Promise((resolve) => stream.once('data', resolve))
  t.pass('session and agent')
})

t.test('who waits for a place holds up nobody who asks the same', async (t) => {
  const { hub, repo, shown } = await openScene(t)
  const opened = await openRepo(hub, operator, repo, 'read')
  const { signal } = new AbortController()
  const ask = async (admit: () => Promise<() => void>) => {
    const body = (async function* () {
      yield fetchCommand(`want ${shown}`, 'done')
    })()
    return await fetchObjects(hub, opened, body, { version: 2, signal, admit })
  }
  const place = Promise.withResolvers<() => void>()
  const queued = ask(() => place.promise)
  let places = 0
  const admit = async () => {
    places++
    return () => void places--
  }
  const answer = await ask(admit)
  t.ok(answer instanceof Uint8Array && Buffer.from(answer).includes('PACK'))
  t.equal(places, 0, 'and gives its own place back')
  t.equal(await ask(() => Promise.reject(new Error('not asked for what is kept'))), answer)
  place.resolve(() => {})
  t.equal(await queued, answer)
  const refused = () => Promise.reject(new Error('too many'))
  await t.rejects(fetchObjects(hub, opened, other(), { version: 2, signal, admit: refused }), /too many/)
  async function* other() {
    yield fetchCommand(`want ${shown}`, 'no-progress', 'done')
  }
})
