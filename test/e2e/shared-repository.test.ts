/** One repository on disk, used by git and by us at the same time: nothing is lost, and it stays whole. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { git, importCommits, makeHistory, seededRandom, temporaryFolder, tryGit } from '../support/git-client.ts'
import { ourReceivePack, ourUploadPack } from '../support/git-services.ts'

async function prepare(t: Test) {
  const folder = temporaryFolder(t)
  const server = join(folder, 'server.git')
  makeHistory(server, { seed: 95, commits: 60 })
  await git(server, 'config', 'core.logAllRefUpdates', 'true')
  return { folder, server }
}

/** Real git's service for even numbers, ours for odd ones. */
const serviceOf = (number: number) => (number % 2 === 0 ? 'git-receive-pack' : ourReceivePack)

async function commitOn(client: string, message: string): Promise<void> {
  const next = await git(client, 'commit-tree', '-p', 'refs/heads/main', '-m', message, 'refs/heads/main^{tree}')
  await git(client, 'update-ref', 'refs/heads/main', next)
}

t.test('sixteen push at once, half of them through git, while it is packed and collected', async (t) => {
  const { folder, server } = await prepare(t)
  const clients = Array.from({ length: 16 }, (_, number) => join(folder, `client-${number}.git`))
  for (const client of clients)
    await git(folder, 'clone', '-q', '--bare', '--no-tags', '--single-branch', server, client)
  let isOver = false
  const collecting = (async () => {
    const failures: string[] = []
    while (!isOver) {
      for (const args of [
        ['pack-refs', '--all'],
        ['gc', '-q', '--prune=2.weeks.ago'],
        ['repack', '-adq'],
      ]) {
        const { status, stderr } = await tryGit(server, ...args)
        // A ref that is locked just then is left for the next time.
        if (status !== 0 && !/lock|another process|File exists/.test(stderr)) failures.push(stderr)
      }
    }
    return failures
  })()
  const sharedWins: string[] = []
  await Promise.all(
    clients.map(async (client, number) => {
      for (let round = 0; round < 3; round++) {
        await commitOn(client, `${number} ${round}`)
        const args = ['push', '-q', `--receive-pack=${serviceOf(number + round)}`, `file://${server}`]
        const own = await tryGit(client, ...args, `main:refs/heads/own/${number}`, `main:refs/tags/${number}-${round}`)
        t.equal(own.status, 0, own.stderr)
        const shared = await tryGit(
          client,
          ...args,
          `--force-with-lease=shared:${await tipOf(server, 'shared')}`,
          'main:shared',
        )
        if (shared.status === 0) sharedWins.push(await git(client, 'rev-parse', 'main'))
      }
    }),
  )
  isOver = true
  t.same(await collecting, [])
  for (const [number, client] of clients.entries()) {
    t.equal(await git(server, 'rev-parse', `own/${number}`), await git(client, 'rev-parse', 'main'))
  }
  t.equal((await git(server, 'tag', '--list', '*-[012]')).split('\n').length, 48)
  t.ok(sharedWins.length > 0)
  const logged = (await git(server, 'log', '-g', '--format=%H', 'shared', '--')).split('\n')
  t.same(new Set(logged), new Set(sharedWins), 'every win is in the log, and nothing else')
  await git(server, 'fsck', '--strict', '--full')
  t.same(leftovers(server), [])
})

async function tipOf(server: string, branch: string): Promise<string> {
  const { status, stdout } = await tryGit(server, 'rev-parse', '--verify', '-q', `refs/heads/${branch}`)
  return status === 0 ? stdout.trim() : ''
}

function leftovers(server: string): string[] {
  return readdirSync(server, { recursive: true })
    .map(String)
    .filter((path) => /\.(lock|keep|new)$|tmp_objdir/.test(path))
}

t.test('clones go on while everything is repacked', async (t) => {
  const { folder, server } = await prepare(t)
  let isOver = false
  const repacking = (async () => {
    for (let round = 0; !isOver; round++) {
      const args = round % 2 === 0 ? ['repack', '-adq'] : ['unpack']
      if (args[0] === 'repack') await git(server, ...args)
      else importCommits(server, 'refs/heads/main', 'refs/heads/main', 3)
    }
  })()
  await Promise.all(
    Array.from({ length: 8 }, async (_, number) => {
      await git(folder, 'clone', '-q', '--mirror', '-u', ourUploadPack, `file://${server}`, `copy-${number}.git`)
      await git(join(folder, `copy-${number}.git`), 'fsck', '--strict')
    }),
  )
  isOver = true
  await repacking
})

t.test('kill -9 at any moment of a push leaves a repository that all can use', async (t) => {
  const { folder, server } = await prepare(t)
  const client = join(folder, 'client.git')
  await git(folder, 'clone', '-q', '--bare', server, client)
  const random = seededRandom(96)
  for (let round = 0; round < 12; round++) {
    importCommits(client, 'refs/heads/main', 'refs/heads/main', round % 3 === 0 ? 60 : 4)
    const before = await git(server, 'for-each-ref', '--format=%(objectname) %(refname)')
    // The shell gives way to the service, whose own process is then the one that is killed.
    const wrapper = `exec ${ourReceivePack}`
    const pushing = spawn('git', ['push', '-q', `--receive-pack=${wrapper}`, `file://${server}`, 'main', 'main:new'], {
      cwd: client,
      detached: true,
      stdio: 'ignore',
    })
    const exited = once(pushing, 'exit')
    const timer = setTimeout(() => process.kill(-pushing.pid!, 'SIGKILL'), 100 + random() * 900)
    await exited
    clearTimeout(timer)
    await git(server, 'fsck', '--strict', '--full')
    const after = await git(server, 'for-each-ref', '--format=%(objectname) %(refname)')
    const tip = await git(client, 'rev-parse', 'main')
    for (const line of after.split('\n')) t.ok(before.includes(line) || line.startsWith(tip), line)
    // git leaves its locks behind in the same way, and says what to do.
    for (const lock of leftovers(server).filter((path) => path.endsWith('.lock'))) rmSync(join(server, lock))
    await git(client, 'push', '-q', `--receive-pack=${serviceOf(round)}`, `file://${server}`, 'main', 'main:new')
  }
  await git(server, 'gc', '-q', '--prune=now')
  t.same(
    leftovers(server).filter((path) => !path.includes('tmp_objdir') && !path.endsWith('.keep')),
    [],
  )
  await git(server, 'fsck', '--strict', '--full')
})
