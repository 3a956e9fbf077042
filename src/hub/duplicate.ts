/** A repository made from another: its branches and tags with their whole history, and the LFS content that it points to. */
import { locateId, type RefSnapshot } from '../git/repository.ts'
import { selectObjects } from '../git/walk/select-objects.ts'
import type { Hub } from './hub.ts'
import { pushAll, takeHead } from './import.ts'
import type { UserPrincipal } from './principal.ts'
import type { Repo, RepoName, Visibility } from './repo.ts'
import { createRepo, deleteUntouchedRepo } from './repos.ts'
import { visibleRefs } from './visible-refs.ts'

export interface DuplicateQuestion {
  to: RepoName
  /** Undefined: as the source. */
  visibility: Visibility | undefined
  signal: AbortSignal
}

/**
 * Makes `to` from what the caller sees of `source`, which they may read. LFS content is granted by the same rule as to a
 * push: what the caller may read. Throws as createRepo does; then nothing is left.
 */
export async function duplicateRepo(
  hub: Hub,
  principal: UserPrincipal,
  source: Repo,
  { to, visibility, signal }: DuplicateQuestion,
): Promise<Repo> {
  const { snapshot } = await visibleRefs(hub, source)
  const refs = onlyPublished(snapshot)
  const repo = await createRepo(hub, principal, to, visibility ?? source.visibility)
  let ownChanges = 0
  try {
    // First: a push moves a HEAD that names nothing.
    if (await takeHead(hub, repo, refs)) ownChanges = 1
    if (refs.refs.length > 0) await copyAll(hub, principal, { source, repo, refs, signal })
    return repo
  } catch (error) {
    await deleteUntouchedRepo(hub, repo, ownChanges)
    throw error
  }
}

/** Others are notes of the source about itself. */
function onlyPublished(snapshot: RefSnapshot): RefSnapshot {
  const isPublished = ({ name }: { name: string }) => name.startsWith('refs/heads/') || name.startsWith('refs/tags/')
  return { ...snapshot, refs: snapshot.refs.filter(isPublished) }
}

async function copyAll(
  hub: Hub,
  principal: UserPrincipal,
  { source, repo, refs, signal }: { source: Repo; repo: Repo; refs: RefSnapshot; signal: AbortSignal },
): Promise<void> {
  // Where it must begin again, for want of a block of a large pack, its push has changed nothing yet.
  await hub.repositories.withObjects(source, async (objects) => {
    const wants = refs.refs.ids().map((id) => locateId(objects, id))
    const { ordinals } = await selectObjects(objects, { wants, haves: [], signal })
    // What the source lacks its copy lacks as well.
    await pushAll(hub, repo, {
      principal,
      refs,
      objects,
      ordinals,
      allowMissingLfs: true,
      onProgress: () => {},
      signal,
    })
  })
}
