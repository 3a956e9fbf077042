/**
 * The server is killed (SIGKILL) at random moments while several clients push commits, some with LFS objects, and is
 * started again each time. At the end nothing that was acknowledged is missing, nothing that was refused is visible, and
 * every clone is clean. HOLDFAST_KILL_PUSHES is the number of pushes; HOLDFAST_KILL_SEED repeats a run's random choices.
 */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { git, temporaryFolder, tryGit } from '../support/git.ts'
import { createAccount, inBothDeployments, type TestServer } from '../support/test-server.ts'

const pushesPerDeployment = Math.ceil(Number(process.env.HOLDFAST_KILL_PUSHES ?? 20) / 2)
const clientCount = 3
const seed = Number(process.env.HOLDFAST_KILL_SEED ?? randomBytes(4).readUInt32LE())

/** What a client knows of its own branch. */
interface Client {
  server: TestServer
  work: string
  branch: string
  /** The last tip that the server said it has. */
  acknowledged: string | undefined
  /** Tips whose push ended in neither a yes nor a no: each may be there or not, later ones only on top of it. */
  unsure: Set<string>
  /** Tips that must never be seen: pushed without the LFS objects that they point to. */
  refused: Set<string>
}

t.comment(`HOLDFAST_KILL_SEED=${seed}`)
const random = randomFrom(seed)

inBothDeployments(t, 'kill', async (t, { servers }) => {
  const folder = temporaryFolder(t, 'kill')
  const ada = await createAccount(servers[0], 'ada')
  await servers[0].holdfast('repo', 'create', 'model', 'ada/held')
  const clients: Client[] = []
  for (let number = 0; number < clientCount; number++) {
    const work = join(folder, `client-${number}`)
    const server = servers[number % servers.length]
    await git(folder, 'clone', '--quiet', server.repoUrl(ada, 'ada/held'), work)
    await git(work, 'lfs', 'track', '*.bin')
    // A push that meets a dead server must end at once: the next one is what matters.
    await git(work, 'config', 'lfs.transfer.maxretries', '1')
    await git(work, 'config', 'lfs.locksverify', 'false')
    clients.push({
      server,
      work,
      branch: `client-${number}`,
      acknowledged: undefined,
      unsure: new Set(),
      refused: new Set(),
    })
  }

  const running = { pushes: pushesPerDeployment }
  let kills = 0
  const killer = (async () => {
    while (running.pushes > 0) {
      await pause(100 + random() * 1_500)
      const victim = servers[Math.floor(random() * servers.length)]
      await victim.kill()
      kills++
      await pause(random() * 300)
      await victim.start()
    }
  })()
  await Promise.all(clients.map((client) => pushUntilDone(client, running)))
  await killer

  t.ok(kills > 0, `killed ${kills} times`)
  t.ok(
    clients.some((client) => client.acknowledged !== undefined),
    'some pushes were acknowledged',
  )
  for (const [number, server] of servers.entries()) {
    await t.test(`what server ${number} has`, (t) => inspect(t, server, join(folder, `inspected-${number}`)))
  }

  async function inspect(t: Tap, server: TestServer, clone: string): Promise<void> {
    await git(folder, 'clone', '--quiet', '--mirror', server.repoUrl(ada, 'ada/held'), clone)
    t.equal(await git(clone, 'fsck', '--strict', '--no-dangling'), '', 'git fsck is clean')
    await git(clone, 'lfs', 'fetch', '--all')
    for (const client of clients) {
      const tip = (await tryGit(clone, 'rev-parse', '--quiet', '--verify', `refs/heads/${client.branch}`)).stdout.trim()
      const allowed = new Set([client.acknowledged ?? '', ...client.unsure])
      t.ok(allowed.has(tip), `${client.branch} is at the last acknowledged push, or at one that nobody answered`)
      if (tip === '') continue
      t.match(
        await git(clone, 'lfs', 'fsck', '--objects', tip),
        'Git LFS fsck OK',
        'its LFS objects are there, and whole',
      )
      const commits = (await git(clone, 'rev-list', tip)).split('\n')
      t.notOk(
        commits.some((commitId) => client.refused.has(commitId)),
        'nothing that was refused is in it',
      )
    }
    const branches = (await git(clone, 'for-each-ref', '--format=%(refname:short)', 'refs/heads')).split('\n')
    t.ok(
      branches.every((branch) => clients.some((client) => client.branch === branch)),
      'no branch but those',
    )
  }
})

type Tap = Parameters<Parameters<typeof inBothDeployments>[2]>[0]

async function pushUntilDone(client: Client, running: { pushes: number }): Promise<void> {
  for (let number = 1; running.pushes-- > 0; number++) {
    await isReady(client.server)
    if (number % 2 === 0) await writeFile(join(client.work, 'weights.bin'), randomBytes(300_000))
    await writeFile(join(client.work, 'notes.txt'), randomBytes(2_000).toString('hex'))
    await git(client.work, 'add', '--all')
    await git(client.work, 'commit', '--quiet', '--message', `Push ${number} of ${client.branch}`)
    const tip = await git(client.work, 'rev-parse', 'HEAD')
    // Every sixth push leaves out its LFS objects: whatever happens to the server, it must not get in.
    const isRefused = number % 6 === 0
    const options = isRefused ? ['--no-verify'] : []
    const pushed = await tryGit(
      client.work,
      'push',
      '--porcelain',
      ...options,
      'origin',
      `HEAD:refs/heads/${client.branch}`,
    )
    if (isRefused) {
      if (pushed.status === 0) throw new Error('A push without its LFS objects was accepted.')
      client.refused.add(tip)
      await git(client.work, 'reset', '--quiet', '--hard', 'HEAD~1')
    } else if (pushed.status === 0) {
      client.acknowledged = tip
      // This tip stands on all earlier ones: whether those had arrived no longer shows.
      client.unsure.clear()
    } else {
      client.unsure.add(tip)
    }
  }
}

/** Waits until the server answers: a push to a dead one proves nothing. */
async function isReady(server: TestServer): Promise<void> {
  for (;;) {
    const ready = await fetch(`${server.url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (ready) return
    await pause(20)
  }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(start: number): () => number {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
