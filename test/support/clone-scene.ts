/** A hosted repository that is pushed to, compacted and cloned by real git. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { listPacks } from '../../src/database/packs.ts'
import { compactRepo } from '../../src/hub/compact.ts'
import { git, temporaryFolder } from './git.ts'
import { makeHistory } from './git-client.ts'
import { addPerson, addRepo, gitUrl, type HouseOptions, listen, openHouse } from './house.ts'

const everything = { clonePackObjectsMin: 0, clonePackBytesMin: 0 }

/** A house with the empty repository ada/model, and a source with a random history. Packs of any size are cloned from. */
export async function openScene(t: Test, options: HouseOptions = {}) {
  const hub = await openHouse(t, { ...options, limits: { ...everything, ...options.limits } })
  const ada = await addPerson(hub, 'ada')
  const repo = await addRepo(hub, ada, 'model')
  const server = await listen(t, hub)
  const folder = temporaryFolder(t)
  const source = join(folder, 'source.git')
  makeHistory(source, { seed: 7, commits: 80 })
  const url = gitUrl(server, ada, 'ada/model')
  let cloneCount = 0

  async function cloneFrom(address: string, args: readonly string[]) {
    const clone = join(folder, `clone-${++cloneCount}.git`)
    const unpackNothing = ['-c', 'fetch.unpackLimit=1', '-c', 'transfer.unpackLimit=1']
    await git(folder, ...unpackNothing, 'clone', '-q', '--bare', ...args, address, clone)
    await git(clone, 'fsck', '--strict')
    const checksums = readdirSync(join(clone, 'objects/pack')).flatMap((name) => /-(.*)\.pack$/.exec(name)?.[1] ?? [])
    return { clone, checksums }
  }

  return {
    hub,
    folder,
    source,
    url,
    repo,
    push: (...args: string[]) => git(source, 'push', '-q', url, ...args),
    compact: () => compactRepo(hub, repo.id),
    async packs() {
      return (await listPacks(hub.database, repo.id))?.packs ?? []
    },
    /** The kinds of compactions that wait, of their keys. */
    async waitingCompactions() {
      const rows = await hub.database.query<{ name: string }>(
        `select split_part(key, ':', 1) as name from graphile_worker.jobs where key like 'compact%' order by 1`,
      )
      return rows.map(({ name }) => name)
    },
    /** A clone that is whole and sound, and the checksum of the pack that came. */
    clone: (...args: string[]) => cloneFrom(url, args),
    /** The same for whoever comes without an account. */
    clonePublicly: () => cloneFrom(gitUrl(server, undefined, 'ada/model'), []),
  }
}

export type Scene = Awaited<ReturnType<typeof openScene>>

/** Of the clone pack. */
export async function storedChecksum(scene: Scene) {
  return (await scene.packs()).find(({ tier }) => tier === 'clone')?.checksum.toString('hex')
}

/** All objects of the repository at `folder`, whether or not a ref leads to them. */
export async function allObjects(folder: string) {
  const listed = await git(folder, 'cat-file', '--batch-all-objects', '--batch-check=%(objectname)', '--unordered')
  return listed.split('\n').sort().join('\n')
}
