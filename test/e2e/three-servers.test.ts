/** Three servers behind no balancer, on one PostgreSQL and one MinIO: what one has acknowledged, the others have at once. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { git, temporaryFolder, tryGit } from '../support/git.ts'
import { createAccount, startProduction } from '../support/test-server.ts'

const rounds = 6

t.test('three servers', async (t) => {
  const { servers } = await startProduction(t)
  const folder = temporaryFolder(t, 'three')
  const ada = await createAccount(servers[0], 'ada')
  await servers[1].holdfast('repo', 'create', 'model', 'ada/shared')
  const urls = servers.map((server) => server.repoUrl(ada, 'ada/shared'))

  t.test('push to one, clone from the others at once', async (t) => {
    const work = join(folder, 'work')
    await git(folder, 'clone', '--quiet', urls[0], work)
    await git(work, 'lfs', 'track', '*.bin')
    for (let round = 0; round < rounds; round++) {
      const bytes = randomBytes(200_000)
      await writeFile(join(work, 'weights.bin'), bytes)
      await writeFile(join(work, 'README.md'), `Round ${round}\n`)
      await git(work, 'add', '--all')
      await git(work, 'commit', '--quiet', '--message', `Round ${round}`)
      const commitId = await git(work, 'rev-parse', 'HEAD')
      await git(work, 'push', '--quiet', urls[round % 3], 'HEAD:refs/heads/main')
      await Promise.all(
        [1, 2].map(async (other) => {
          const clone = join(folder, `clone-${round}-${other}`)
          await git(folder, 'clone', '--quiet', urls[(round + other) % 3], clone)
          t.equal(await git(clone, 'rev-parse', 'HEAD'), commitId, 'the commit')
          t.equal(await git(clone, 'status', '--porcelain'), '', 'and its LFS objects')
          t.equal(await git(clone, 'fsck', '--strict', '--no-dangling'), '')
        }),
      )
    }
  })

  t.test('racing pushes to one branch, each by another server: one wins, the others are told', async (t) => {
    const clients = await Promise.all(
      urls.map(async (url, client) => {
        const work = join(folder, `racer-${client}`)
        await git(folder, 'clone', '--quiet', url, work)
        await writeFile(join(work, `racer-${client}.txt`), `${client}\n`)
        await git(work, 'add', '--all')
        await git(work, 'commit', '--quiet', '--message', `Racer ${client}`)
        return work
      }),
    )
    const results = await Promise.all(
      clients.map((work) => tryGit(work, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main')),
    )
    const winners = clients.filter((_, client) => results[client].status === 0)
    t.equal(winners.length, 1, 'one wins')
    for (const { status, stderr } of results) if (status !== 0) t.match(stderr, /rejected/)
    const tip = await git(winners[0], 'rev-parse', 'HEAD')
    for (const url of urls) t.match(await git(folder, 'ls-remote', url, 'refs/heads/main'), tip)
  })

  t.test('many branches through all servers at once', async (t) => {
    const work = join(folder, 'racer-0')
    const names = Array.from({ length: 12 }, (_, number) => `refs/heads/branch/${number}`)
    await Promise.all(names.map((name, number) => git(work, 'push', '--quiet', urls[number % 3], `HEAD:${name}`)))
    for (const url of urls) {
      const listed = await git(folder, 'ls-remote', url, 'refs/heads/branch/*')
      t.equal(listed.split('\n').length, names.length)
    }
  })
})
