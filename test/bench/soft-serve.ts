/** soft-serve, a Git server in Go, by its HTTP door; `test/setup/install.sh bench` builds it where its module can be had. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { git } from '../support/git.ts'
import { findFreePort } from '../support/ports.ts'
import { shared } from './bench-run.ts'
import { type Processes, processTree } from './processes.ts'
import { sourceOf } from './repositories.ts'
import { NotMeasured } from './row.ts'

export interface SoftServe {
  url: string
  processes: Processes
}

const readyWithinMs = 20_000
const pollMs = 50

/** A server with the small repository as `small` and the one of 2,000 commits as `thousands`, which anybody may push to. */
export const softServeOf = shared(async (bench, name: 'soft-serve'): Promise<SoftServe> => {
  const program = process.env.HOLDFAST_SOFT ?? join(homedir(), '.cache/holdfast/bin/soft')
  if (!existsSync(program)) throw new NotMeasured('soft-serve could not be built here')
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const server = spawn(program, ['serve'], {
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      HOME: bench.folder,
      SOFT_SERVE_DATA_PATH: join(bench.folder, name),
      SOFT_SERVE_ANON_ACCESS: 'admin-access',
      SOFT_SERVE_ALLOW_KEYLESS: 'true',
      SOFT_SERVE_HTTP_LISTEN_ADDR: `127.0.0.1:${port}`,
      SOFT_SERVE_HTTP_PUBLIC_URL: url,
      SOFT_SERVE_SSH_LISTEN_ADDR: `127.0.0.1:${await findFreePort()}`,
      SOFT_SERVE_GIT_ENABLED: 'false',
      SOFT_SERVE_STATS_ENABLED: 'false',
    },
  })
  bench.teardown(async () => {
    const exited = once(server, 'exit')
    if (server.exitCode === null && server.kill()) await exited
  })
  await waitUntilReady(url)
  for (const repository of ['small', 'thousands'] as const) {
    const source = await sourceOf(bench, repository)
    await git(source, 'push', '--quiet', `${url}/${repository}`, 'refs/heads/main:refs/heads/main')
  }
  return { url, processes: processTree(() => [server.pid ?? 0]) }
})

async function waitUntilReady(url: string): Promise<void> {
  const deadline = Date.now() + readyWithinMs
  for (;;) {
    const isReady = await fetch(`${url}/livez`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) return
    if (Date.now() > deadline) throw new Error('soft-serve did not get ready.')
    await pause(pollMs)
  }
}
