/** Clones and fetches whose packs worker threads make: what real git gets is what was pushed. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { git, run, temporaryFolder } from '../support/git.ts'
import { makeHistory } from '../support/histories.ts'
import { addPerson, addRepo, gitUrl, listen, openHouse } from '../support/house.ts'

/** A hosted repository with a history, and how many packs threads have made of it. */
async function openScene(t: Test) {
  const hub = await openHouse(t, { threads: 1 })
  let sent = 0
  const { packSender } = hub.repositories
  hub.repositories.packSender = (objects) => {
    const sender = packSender(objects)
    return (
      sender && {
        isAlways: false,
        send: (order, signal) => {
          sent++
          return sender.send(order, signal)
        },
      }
    )
  }
  const ada = await addPerson(hub, 'ada')
  await addRepo(hub, ada, 'model')
  const remote = gitUrl(await listen(t, hub), ada, 'ada/model')
  const folder = temporaryFolder(t, 'send')
  const origin = await makeHistory(join(folder, 'origin.git'), 'thousands')
  await git(origin, 'push', '--quiet', '--mirror', remote)
  return { remote, folder, origin, countSent: () => sent }
}

t.test('clones of every kind', async (t) => {
  const { remote, folder, origin, countSent } = await openScene(t)
  const list = ['rev-list', '--objects', '--all']
  const whole = await git(origin, ...list)
  const kinds = [[], ['--depth=5'], ['--filter=blob:none'], ['--filter=tree:0'], ['--no-tags', '-c', 'x.y=z']]
  for (const [number, options] of kinds.entries()) {
    const before = countSent()
    const copy = join(folder, `copy-${number}`)
    await git(folder, 'clone', '--quiet', '--bare', ...options, remote, copy)
    t.equal(countSent(), before + 1, `a thread makes the pack: ${options}`)
    t.equal((await run('git', ['fsck', '--no-dangling'], { cwd: copy })).status, 0)
    if (options.length === 0) t.equal(await git(copy, ...list), whole)
  }
})

t.test('a small fetch is answered at once, a large one by a thread', async (t) => {
  const { remote, folder, origin, countSent } = await openScene(t)
  const list = ['rev-list', '--objects', '--all']
  for (const [behind, threads] of [
    [1, 0],
    [1_500, 1],
  ]) {
    const copy = join(folder, `behind-${behind}`)
    await git(folder, 'init', '--quiet', '--bare', copy)
    await git(origin, 'push', '--quiet', copy, `main~${behind}:refs/heads/main`)
    const before = countSent()
    await git(copy, 'fetch', '--quiet', remote, 'main:main')
    t.equal(countSent(), before + threads, `${behind} behind`)
    t.equal(await git(copy, ...list), await git(origin, 'rev-list', '--objects', 'main'))
  }
})

t.test('a client that leaves in the middle ends the task', async (t) => {
  const { remote, folder, origin } = await openScene(t)
  const url = new URL(remote)
  const authorization = `Basic ${btoa(`${url.username}:${url.password}`)}`
  const address = `${url.origin}${url.pathname}/git-upload-pack`
  const tip = (await git(origin, 'rev-parse', 'main')).trim()
  const packet = (text: string) => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`
  const body = `${packet('command=fetch')}0001${packet(`want ${tip}`)}${packet('done')}0000`
  const client = new AbortController()
  const response = await fetch(address, {
    method: 'POST',
    headers: { authorization, 'git-protocol': 'version=2', 'content-type': 'application/x-git-upload-pack-request' },
    body,
    signal: client.signal,
  })
  await response.body!.getReader().read()
  t.match(await tasks(url), / 1$/m)
  client.abort()
  while (!/ 0$/m.test(await tasks(url))) {}
  await git(folder, 'clone', '--quiet', '--bare', remote, join(folder, 'after'))
})

async function tasks({ origin }: URL): Promise<string> {
  const text = await (await fetch(`${origin}/metrics`)).text()
  return /^holdfast_worker_tasks .*$/m.exec(text)![0]
}
