/** Import: a whole repository from elsewhere, with the LFS content beside it, through the one path by which refs move. */
import { HoldfastError } from '../errors.ts'
import type { PushReport } from '../git/host.ts'
import { writePack } from '../git/pack/writer.ts'
import { locateId, type ObjectDatabase, type RefSnapshot } from '../git/repository.ts'
import { selectObjects } from '../git/walk/select-objects.ts'
import type { Hub } from './hub.ts'
import { type FindLfsContent, findLfsOids, importLfs } from './import-lfs.ts'
import { anonymous, type Principal } from './principal.ts'
import { pushHost } from './push.ts'
import { type Repo, repoPath } from './repo.ts'
import { setDefaultBranch } from './repos.ts'

export interface ImportSource {
  refs: RefSnapshot
  objects: ObjectDatabase
  findLfs: FindLfsContent
}

export interface ImportOptions {
  /** Takes pointers whose content nobody has. */
  allowMissingLfs: boolean
  /** A line for the person who waits; a counter ends in a carriage return. */
  onProgress(text: string): void
  signal: AbortSignal
}

export interface Imported {
  refCount: number
  objectCount: number
  lfsObjectCount: number
}

/**
 * Fills the empty `repo` with everything that the source's refs lead to, and points HEAD where the source's does. Nothing
 * becomes visible unless everything does. Throws Conflict for a repository that has refs, or where a rule of pushes
 * speaks against it; BytesMismatch for damaged LFS files; ObjectMissing for a damaged source.
 */
export async function importRepository(
  hub: Hub,
  repo: Repo,
  source: ImportSource,
  options: ImportOptions,
): Promise<Imported> {
  const { refs, objects } = source
  const { onProgress, signal } = options
  if ((await hub.repositories.refs(repo)).refs.length > 0) {
    throw new HoldfastError('Conflict', { message: `${repoPath(repo)} is not empty. Import into a new repository.` })
  }
  const wants = refs.refs.ids().map((id) => locateId(objects, id))
  const { ordinals } = await selectObjects(objects, {
    wants,
    haves: [],
    onProgress: (commitCount) => onProgress(`Reading commits: ${commitCount}\r`),
    signal,
  })
  const oids = await findLfsOids(objects, ordinals)
  const lfsObjectCount = await importLfs(hub, repo, oids, {
    find: source.findLfs,
    onProgress: (done) => {
      if (oids.length > 0) onProgress(`LFS objects: ${done}/${oids.length}\r`)
    },
    signal,
  })
  // First: a push moves a HEAD that names nothing.
  await takeHead(hub, repo, refs)
  // The operator is no account: the ref log names nobody, and only what was granted above counts as present.
  if (refs.refs.length > 0) await pushAll(hub, repo, { ...options, principal: anonymous, refs, objects, ordinals })
  return { refCount: refs.refs.length, objectCount: ordinals.length, lfsObjectCount }
}

export interface WholePush extends ImportOptions {
  principal: Principal
  refs: RefSnapshot
  objects: ObjectDatabase
  /** What the refs lead to. */
  ordinals: Uint32Array
}

/** Pushes all of another repository into an empty one. Throws Conflict where anything is refused. */
export async function pushAll(
  hub: Hub,
  repo: Repo,
  { principal, refs, objects, ordinals, allowMissingLfs, onProgress, signal }: WholePush,
): Promise<void> {
  const host = pushHost(hub, principal, repo, { allowMissingLfs })
  const report = await host.push({
    commands: refs.refs.map(({ name, id }) => ({ name, oldId: undefined, newId: id })),
    atomic: true,
    pushOptions: [],
    pack: writePack(objects, ordinals, { ofsDelta: true, signal }),
    progress: onProgress,
    signal,
  })
  checkReport(report)
}

function checkReport({ unpack, results }: PushReport): void {
  const refused = results.find(({ reason }) => reason !== undefined)
  if (unpack === 'ok' && refused === undefined) return
  const why = unpack === 'ok' ? `${Buffer.from(refused?.name ?? '', 'latin1')}: ${refused?.reason}` : unpack
  throw new HoldfastError('Conflict', { message: `Nothing was imported. ${why}` })
}

/**
 * Points HEAD where the source's does. A HEAD that is detached, or names a branch that others came without, leaves the
 * default branch to the push: false.
 */
export async function takeHead(hub: Hub, repo: Repo, { headTarget, refs }: RefSnapshot): Promise<boolean> {
  const branch = /^refs\/heads\/(.+)$/s.exec(headTarget ?? '')?.[1]
  const [firstBranch] = refs.withPrefixes(['refs/heads/'])
  if (branch === undefined || (firstBranch !== undefined && refs.get(`refs/heads/${branch}`) === undefined)) {
    return false
  }
  await setDefaultBranch(hub, repo, branch)
  return true
}
