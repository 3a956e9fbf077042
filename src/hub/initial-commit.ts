/** The commit with which a repository made by the API begins, as on the Hub. */
import { oneChunk } from '../bucket/streams.ts'
import { HoldfastError } from '../errors.ts'
import { formatCommit } from '../git/commit.ts'
import { hashObject } from '../git/hash-object.ts'
import type { ObjectId } from '../git/object-id.ts'
import { formatFreshPack } from '../git/pack/fresh-pack.ts'
import type { GitObject } from '../git/repository.ts'
import { fileMode, formatTree } from '../git/tree.ts'
import { authorNow } from './commit/authorship.ts'
import { commitFirstFiles, type FirstFile } from './first-files.ts'
import type { Hub } from './hub.ts'
import { type CardStart, initialFiles } from './initial-files.ts'
import { moveRef } from './move-ref.ts'
import type { UserPrincipal } from './principal.ts'
import { type Repo, type RepoName, repoPath, type Visibility } from './repo.ts'
import { createRepo, deleteUntouchedRepo } from './repos.ts'

/**
 * Makes a repository that begins with the initial commit, and one of `files` where there are some; throws as createRepo and
 * takeCommit do. Where a commit cannot be made the repository goes again, unless somebody was quicker: it is visible from
 * its first moment, and what was pushed is kept.
 */
export async function createStartedRepo(
  hub: Hub,
  principal: UserPrincipal,
  name: RepoName,
  { visibility, card = {}, files = [] }: { visibility: Visibility; card?: CardStart; files?: readonly FirstFile[] },
): Promise<Repo> {
  const repo = await createRepo(hub, principal, name, visibility)
  let ownChanges = 0
  try {
    await createInitialCommit(hub, principal, repo, card)
    ownChanges = 1
    if (files.length > 0) await commitFirstFiles(hub, principal, repo, files)
  } catch (error) {
    if ((await deleteUntouchedRepo(hub, repo, ownChanges)) || files.length > 0) throw error
  }
  return repo
}

/** Gives an empty repository its first commit, by the one way in which refs move. Resolves to the commit's id. */
export async function createInitialCommit(
  hub: Hub,
  principal: UserPrincipal,
  repo: Repo,
  card: CardStart = {},
): Promise<ObjectId> {
  const files = initialFiles(repo, card).map(({ name, text }) => ({ name, blob: blobOf(text) }))
  const blobs = files.map(({ blob }) => blob)
  const tree: GitObject = {
    type: 'tree',
    data: formatTree(files.map(({ name, blob }) => ({ mode: fileMode, name, id: hashObject(blob) }))),
  }
  const author = authorNow(hub, principal)
  const data = formatCommit({
    treeId: hashObject(tree),
    parentIds: [],
    author,
    committer: author,
    message: 'initial commit\n',
  })
  const commit: GitObject = { type: 'commit', data }
  const commitId = hashObject(commit)
  const isMoved = await moveRef(hub, principal, repo, {
    command: { name: repo.headTarget, oldId: undefined, newId: commitId },
    pack: oneChunk(formatFreshPack([commit, tree, ...blobs])),
    signal: new AbortController().signal,
  })
  if (isMoved) return commitId
  throw new HoldfastError('Conflict', { message: `${repoPath(repo)} has been pushed to already.` })
}

function blobOf(text: string): GitObject {
  return { type: 'blob', data: Buffer.from(text) }
}
