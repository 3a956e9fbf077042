/**
 * A commit through the API: the files of a request laid over a branch. Where the branch has moved since the request came,
 * the files are laid over what is there now, unless one of them was changed by somebody else meanwhile.
 */
import type { CommitAnswer, CommitRequestKey } from '../../database/commit-answers.ts'
import { listMovesBy, noteUnchanged, readCommitState } from '../../database/commit-answers.ts'
import { HoldfastError } from '../../errors.ts'
import { formatCommit } from '../../git/commit.ts'
import { findClash } from '../../git/edit-clash.ts'
import { fairLoop } from '../../git/fair-loop.ts'
import { hashObject } from '../../git/hash-object.ts'
import type { ByteStream, ObjectId } from '../../git/object-id.ts'
import { applyEdits, type EditedTree, type PathEdits } from '../../git/path-edits.ts'
import type { GitObject, ObjectDatabase } from '../../git/repository.ts'
import { findRootTree } from '../commit-files.ts'
import type { Hub } from '../hub.ts'
import { moveRef } from '../move-ref.ts'
import type { UserPrincipal } from '../principal.ts'
import { type Repo, repoPath } from '../repo.ts'
import { authorNow } from './authorship.ts'
import type { OpenBranch } from './branch.ts'
import { takeTurn } from './turns.ts'

/** What a request asks for, once all of it has come. */
export interface CommitDraft {
  branch: OpenBranch
  edits: PathEdits
  message: string
  /** The beginning of the id, of 7 digits or more, that the branch's head must have. */
  parentCommit: string | undefined
  /** By which the request is recognised when it comes again. */
  bodySha256: Buffer
  /** A pack of the blobs and of `others`. */
  pack(others: readonly GitObject[]): ByteStream
}

interface Commission {
  hub: Hub
  principal: UserPrincipal
  repo: Repo
  draft: CommitDraft
  key: CommitRequestKey
  signal: AbortSignal
}

/**
 * Commits a draft; resolves to the commit's id, or to the branch's head where nothing would change. The same request again
 * is answered as the first time. Throws BranchMoved, what `applyEdits` and `moveRef` throw, and Conflict where other
 * servers were quicker again and again.
 */
export async function commitDraft(
  hub: Hub,
  principal: UserPrincipal,
  repo: Repo,
  { draft, signal }: { draft: CommitDraft; signal: AbortSignal },
): Promise<ObjectId> {
  const { refName } = draft.branch
  const key = { repoId: repo.id, userId: principal.userId, refName, bodySha256: draft.bodySha256 }
  const commission = { hub, principal, repo, draft, key, signal }
  const turn = async () => {
    for (let tries = 0; tries < hub.config.limits.commitTriesMax; tries++) {
      const commitId = await tryCommit(commission)
      if (commitId !== undefined) return commitId
    }
    throw new HoldfastError('Conflict', { message: 'Other commits to this branch were quicker. Please try again.' })
  }
  return await takeTurn(hub.database, `${repo.id}/${refName}`, { turn, signal })
}

/** Undefined where the branch moved, or the request was answered, while this was under way. */
async function tryCommit(commission: Commission): Promise<ObjectId | undefined> {
  const { hub, principal, draft, key, signal } = commission
  const state = await readCommitState(hub.database, key, hub.config.limits.commitAnswerKeptSeconds)
  if (state === undefined) throw new HoldfastError('RepoNotFound')
  const { headId, answer, refsVersion, packsVersion } = state
  const repo = { ...commission.repo, refsVersion, packsVersion }
  if (answer?.isExpired === false && !(await hasUndone({ ...commission, repo }, answer))) return answer.commitId
  if (headId === undefined && draft.branch.state.headId !== undefined) throw branchGone(key.refName)
  checkParent(draft, headId)
  const seenCommitId = answer?.commitId
  const edited = await hub.repositories.withObjects(repo, (objects) => layOver(objects, draft, headId, signal))
  if (edited === undefined) {
    const unchanged = { commitId: headId as ObjectId, refsVersion, seenCommitId }
    return (await noteUnchanged(hub.database, key, unchanged)) ? unchanged.commitId : undefined
  }
  const author = authorNow(hub, principal)
  const parentIds = headId === undefined ? [] : [headId]
  const data = formatCommit({ treeId: edited.treeId, parentIds, author, committer: author, message: draft.message })
  const trees = Array.from(edited.newTrees.values(), (data): GitObject => ({ type: 'tree', data }))
  const commit: GitObject = { type: 'commit', data }
  const commitId = hashObject(commit)
  const isMoved = await moveRef(hub, principal, repo, {
    command: { name: key.refName, oldId: headId, newId: commitId },
    pack: draft.pack([...trees, commit]),
    options: { answer: { bodySha256: key.bodySha256, seenCommitId } },
    signal,
  })
  return isMoved ? commitId : undefined
}

/** The branch's tree with the draft's changes; undefined where there is nothing to change. */
async function layOver(
  objects: ObjectDatabase,
  { branch, edits }: CommitDraft,
  headId: ObjectId | undefined,
  signal: AbortSignal,
): Promise<EditedTree | undefined> {
  const pause = fairLoop(signal)
  const rootId = rootOf(objects, headId)
  const baseId = branch.state.headId
  if (baseId === headId) return unlessSame(await applyEdits(objects, rootId, edits, { pause }), rootId)
  const { path, gone } = await findClash(objects, edits, { fromId: rootOf(objects, baseId), toId: rootId, pause })
  if (path !== undefined) throw branchMoved(`${Buffer.from(path, 'latin1')} was changed by another commit`)
  return unlessSame(await applyEdits(objects, rootId, edits, { pause, gone }), rootId)
}

function unlessSame(edited: EditedTree, rootId: ObjectId | undefined): EditedTree | undefined {
  return edited.treeId === rootId ? undefined : edited
}

function rootOf(objects: ObjectDatabase, commitId: ObjectId | undefined): ObjectId | undefined {
  return commitId === undefined ? undefined : findRootTree(objects, commitId)
}

function checkParent({ parentCommit }: CommitDraft, headId: ObjectId | undefined): void {
  if (parentCommit === undefined || headId?.startsWith(parentCommit)) return
  throw branchMoved(`its head is not ${parentCommit}, the parent that the commit was made for`)
}

function branchMoved(why: string): HoldfastError {
  return new HoldfastError('BranchMoved', {
    message: `The branch was updated meanwhile: ${why}. Please refresh and try again.`,
  })
}

function branchGone(refName: string): HoldfastError {
  const name = Buffer.from(refName, 'latin1')
  return new HoldfastError('RevisionNotFound', { message: `Invalid rev id: ${name} has been deleted meanwhile.` })
}

/** So many later moves are looked at; a request that comes again after more of them is a new one. */
const laterMovesMax = 100

/**
 * True where the user has changed what the answered request brought about: then the same request is meant anew. What others
 * have changed meanwhile is not taken back by a mere repetition.
 */
async function hasUndone({ hub, repo, draft, key, signal }: Commission, answer: CommitAnswer): Promise<boolean> {
  const moves = await listMovesBy(hub.database, key, { afterVersion: answer.refsVersion, max: laterMovesMax + 1 })
  if (moves.length === 0) return false
  if (moves.length > laterMovesMax) return true
  return await hub.repositories.withObjects(repo, async (objects) => {
    const pause = fairLoop(signal)
    for (const { oldId, newId } of moves) {
      const range = { fromId: rootOf(objects, oldId), toId: rootOf(objects, newId), pause }
      if ((await findClash(objects, draft.edits, range)).path !== undefined) return true
    }
    return false
  })
}

/** Where a commit is shown to people. */
export function commitUrl(hub: Hub, repo: Repo, commitId: ObjectId): string {
  return `${hub.config.publicUrl}/${repoPath(repo)}/commit/${commitId}`
}
