/** A hosted repository, and somebody with a work tree who pushes to it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Hub } from '../../src/hub/hub.ts'
import type { Repo, Visibility } from '../../src/hub/repo.ts'
import { run, temporaryFolder } from './git.ts'
import { addPerson, addRepo, gitUrl, type HouseOptions, listen, openHouse, type Person } from './house.ts'

export interface PushScene {
  hub: Hub
  repo: Repo
  alice: Person
  server: URL
  remote: string
  folder: string
  git(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }>
  commit(message: string, files?: Record<string, string | Buffer>): Promise<string>
  remoteRefs(): Promise<string>
}

/** An empty hosted repository and a work tree whose `origin` it is. */
export async function openPushScene(
  t: Test,
  { visibility = 'private', ...options }: HouseOptions & { visibility?: Visibility } = {},
): Promise<PushScene> {
  const hub = await openHouse(t, options)
  const alice = await addPerson(hub, 'alice')
  const repo = await addRepo(hub, alice, 'model', { visibility })
  const server = await listen(t, hub)
  const remote = gitUrl(server, alice, 'alice/model')
  const folder = join(temporaryFolder(t, 'push'), 'work')
  await run('git', ['init', '-q', '-b', 'main', folder])
  const git = (...args: string[]) => run('git', args, { cwd: folder })
  await git('remote', 'add', 'origin', remote)
  return {
    hub,
    repo,
    alice,
    server,
    remote,
    folder,
    git,
    async commit(message, files = { 'a.txt': message }) {
      for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
      await git('add', '-A')
      await git('commit', '-q', '-m', message)
      return (await git('rev-parse', 'HEAD')).stdout.trim()
    },
    remoteRefs: async () => (await git('ls-remote', 'origin')).stdout,
  }
}
