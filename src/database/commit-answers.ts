/**
 * What commits through the API were answered (written by the push's own transaction, pushes.ts), and where the branch of a
 * commit stands.
 */
import type { Queryable, RepoId, UserId } from './queryable.ts'
import type { ObjectIdText } from './refs.ts'

/** A request as it is recognised when it comes again. */
export interface CommitRequestKey {
  repoId: RepoId
  userId: UserId
  /** Latin1. */
  refName: string
  bodySha256: Buffer
}

export interface CommitAnswer {
  commitId: ObjectIdText
  /** At which the commit had been made. */
  refsVersion: string
  /** Longer ago than requests are remembered: it counts no more, and is still there to be replaced. */
  isExpired: boolean
}

export interface BranchState {
  /** What the ref points to; undefined where it does not exist. */
  headId: ObjectIdText | undefined
  refsVersion: string
  packsVersion: string
}

/** Where a ref stands, and the versions at which it does; undefined where the repository is gone. */
export async function readBranchState(
  db: Queryable,
  { repoId, refName }: Pick<CommitRequestKey, 'repoId' | 'refName'>,
): Promise<BranchState | undefined> {
  const [row] = await db.query<StateRow>(
    `select ${stateColumns} from repos r left join refs f on f.repo_id = r.id and f.name = $2 where r.id = $1`,
    [repoId, Buffer.from(refName, 'latin1')],
    'read-branch-state',
  )
  return row === undefined ? undefined : toState(row)
}

/** As `readBranchState`, with what an equal request was answered. */
export async function readCommitState(
  db: Queryable,
  { repoId, userId, refName, bodySha256 }: CommitRequestKey,
  keptSeconds: number,
): Promise<(BranchState & { answer: CommitAnswer | undefined }) | undefined> {
  const [row] = await db.query<StateRow & Partial<CommitAnswer>>(
    `select ${stateColumns}, encode(a.commit_id, 'hex') as "commitId", a.refs_version as "answerVersion",
       a.answered_at < now() - make_interval(secs => $5) as "isExpired"
     from repos r
     left join refs f on f.repo_id = r.id and f.name = $2
     left join commit_answers a
       on a.repo_id = r.id and a.user_id = $3 and a.ref_name = $2 and a.body_sha256 = $4
     where r.id = $1`,
    [repoId, Buffer.from(refName, 'latin1'), userId, bodySha256, keptSeconds],
    'read-commit-state',
  )
  if (row === undefined) return undefined
  const { commitId, answerVersion, isExpired } = row as StateRow & { answerVersion: string } & Partial<CommitAnswer>
  const answer = commitId == null ? undefined : { commitId, refsVersion: answerVersion, isExpired: isExpired === true }
  return { ...toState(row), answer }
}

const stateColumns = `encode(f.object_id, 'hex') as "headId", r.refs_version as "refsVersion", r.packs_version as "packsVersion"`

type StateRow = Omit<BranchState, 'headId'> & { headId: ObjectIdText | null }

function toState({ headId, refsVersion, packsVersion }: StateRow): BranchState {
  return { headId: headId ?? undefined, refsVersion, packsVersion }
}

/**
 * Notes an answer that moved no ref: the request asked for what was there already. False where another answer than
 * `seenCommitId` (undefined: none) is noted.
 */
export async function noteUnchanged(
  db: Queryable,
  { repoId, userId, refName, bodySha256 }: CommitRequestKey,
  answer: { commitId: string; refsVersion: string; seenCommitId: string | undefined },
): Promise<boolean> {
  const seen = answer.seenCommitId === undefined ? null : Buffer.from(answer.seenCommitId, 'hex')
  const commitId = Buffer.from(answer.commitId, 'hex')
  const values = [repoId, userId, Buffer.from(refName, 'latin1'), bodySha256, seen, commitId, answer.refsVersion]
  try {
    await db.query('select note_commit_answer($1, $2, $3, $4, $5, $6, $7)', values)
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === answeredState) return false
    throw error
  }
}

/** The SQLSTATE with which note_commit_answer fails. */
export const answeredState = 'HF003'

/** The moves of a ref by a user after a version of the refs, the newest first, at most `max`. */
export async function listMovesBy(
  db: Queryable,
  { repoId, userId, refName }: Omit<CommitRequestKey, 'bodySha256'>,
  { afterVersion, max }: { afterVersion: string; max: number },
): Promise<{ oldId: ObjectIdText | undefined; newId: ObjectIdText | undefined }[]> {
  const rows = await db.query<Record<'oldId' | 'newId', ObjectIdText | null>>(
    `select encode(old_id, 'hex') as "oldId", encode(new_id, 'hex') as "newId" from ref_log
     where repo_id = $1 and version > $2 and name = $3 and actor_id = $4
     order by version desc limit $5`,
    [repoId, afterVersion, Buffer.from(refName, 'latin1'), userId, max],
  )
  return rows.map(({ oldId, newId }) => ({ oldId: oldId ?? undefined, newId: newId ?? undefined }))
}

/** Deletes the answers that no request is recognised by any more. */
export async function deleteOldCommitAnswers(db: Queryable, keptSeconds: number): Promise<void> {
  await db.query('delete from commit_answers where answered_at < now() - make_interval(secs => $1)', [keptSeconds])
}
