/** The transaction of a push: one statement, hence one round trip, and the repository's row is locked for its length only. */
import { type ErrorCode, HoldfastError } from '../errors.ts'
import { answeredState } from './commit-answers.ts'
import type { JobNote } from './jobs.ts'
import type { LfsClaim } from './lfs-objects.ts'
import { type NewPack, packArguments } from './packs.ts'
import type { Queryable, RepoId, UserId } from './queryable.ts'

export interface RefMove {
  /** Latin1. */
  name: string
  /** What the pusher believes the ref to be; undefined: absent. */
  oldId: string | undefined
  /** What it shall be; undefined: absent. */
  newId: string | undefined
  /** What `newId` finally points to if it is an annotated tag. */
  peeledId: string | undefined
}

export interface NewPush {
  repoId: RepoId
  actorId: UserId | undefined
  commands: readonly RefMove[]
  atomic: boolean
  /** The version of the rules by which the commands were judged. */
  rulesVersion: string
  details?: PushDetails
  /** Undefined where only refs move. */
  pack?: PushedPack
  /** Enqueued if any command is granted. One that waits under the same key keeps its time; so does one that has just failed. */
  jobs?: readonly JobNote[]
  /** The request behind a push of one command, whose answer is noted with it. */
  answer?: AnsweredRequest
}

/** A request that shall be recognised when it comes again (commit-answers.ts). */
export interface AnsweredRequest {
  bodySha256: Buffer
  /** The answer that is noted already and shall be replaced. */
  seenCommitId: string | undefined
}

/** What a push said about itself, kept beside its lines in the ref log. */
export interface PushDetails {
  options: readonly string[]
  certificate: { bytes: Buffer; pusher: string | undefined; nonceStatus: string } | undefined
}

export interface PushedPack {
  row: NewPack
  /** What its LFS pointers claim. */
  claims: readonly LfsClaim[]
  /** An administrator may point to what any repository holds. */
  isAdmin: boolean
  allowMissingLfs: boolean
}

/** `reason` is undefined where the command was granted, otherwise what stands behind `ng <ref>`. */
export interface RefMoveResult {
  name: string
  reason: string | undefined
}

export interface PushOutcome {
  /** One per command, in their order. */
  results: RefMoveResult[]
  /** Whether any command was granted; otherwise nothing has changed. */
  applied: boolean
  /** The rules are no longer those of `rulesVersion`: nothing was done, and there are no results. */
  rulesChanged: boolean
  /** Where the repository stands now. */
  refsVersion: string
  packsVersion: string
  /** The ref that HEAD names now (latin1), where the push has changed that: it had named none that exists. */
  newHead: string | null
  /** The place of the pack among the repository's; null where none became visible. */
  packSequence: string | null
}

/**
 * Commits pushes to one repository, one after another in one transaction: all of them or none. Each moves refs by
 * compare-and-swap and makes its pack visible, whose bytes must be durable. Each command is granted or refused by itself,
 * or, if the push is `atomic`, all of them are; the branch that HEAD names is never deleted. If any is granted the pack
 * becomes visible and what it points to is granted; if any ref moves the refs' version is raised and the ref log written.
 * HEAD follows the first branches that come.
 *
 * Throws RepoNotFound where the repository is gone, BytesMissing where LFS objects are, Conflict where the request behind a
 * push has been answered meanwhile; after Unavailable it is open whether all was committed.
 */
export async function commitPushes(db: Queryable, pushes: readonly NewPush[]): Promise<PushOutcome[]> {
  const values = pushes.map((push) => [
    ...refArguments(push),
    ...packArgumentsOf(push.pack),
    JSON.stringify(push.jobs ?? []),
    push.answer?.bodySha256 ?? null,
    toBytes(push.answer?.seenCommitId),
  ])
  const rows = await db
    .query<PushRow>(statementFor(values), values.flat(), `commit-push-${pushes.length}`)
    .catch((error: unknown) => {
      const refused = refusals[(error as { code?: string }).code ?? '']
      throw refused === undefined ? error : new HoldfastError(refused)
    })
  if (rows.length !== pushes.length) throw new HoldfastError('RepoNotFound')
  return rows.map(({ reasons, ...outcome }, number) => {
    const judged = outcome.rulesChanged ? [] : pushes[number].commands
    const results = judged.map(({ name }, index) => ({ name, reason: reasons[index] ?? undefined }))
    return { ...outcome, results, applied: results.some(({ reason }) => reason === undefined) }
  })
}

/** PostgreSQL runs the parts of `union all` in turn, and each call sees what those before it did. */
function statementFor(calls: readonly unknown[][]): string {
  let parameter = 0
  const selects = calls.map(
    (values) => `
    select reasons, rules_changed as "rulesChanged", new_refs_version as "refsVersion",
      new_packs_version as "packsVersion", pack_sequence as "packSequence",
      convert_from(new_head, 'LATIN1') as "newHead"
    from commit_push(${values.map(() => `$${++parameter}`).join(', ')})`,
  )
  return selects.join(' union all ')
}

/** The SQLSTATEs with which grant_pushed_lfs_objects and note_commit_answer fail. */
const refusals: Record<string, ErrorCode | undefined> = { HF001: 'BytesMissing', [answeredState]: 'Conflict' }

type PushRow = Omit<PushOutcome, 'results' | 'applied'> & { reasons: (string | null)[] }

function refArguments({ repoId, actorId, atomic, rulesVersion, commands, details }: NewPush): unknown[] {
  return [
    repoId,
    actorId ?? null,
    atomic,
    rulesVersion,
    commands.map(({ name }) => Buffer.from(name, 'latin1')),
    commands.map(({ oldId }) => toBytes(oldId)),
    commands.map(({ newId }) => toBytes(newId)),
    commands.map(({ peeledId }) => toBytes(peeledId)),
    details?.options ?? [],
    details?.certificate?.bytes ?? null,
    details?.certificate?.pusher ?? null,
    details?.certificate?.nonceStatus ?? null,
  ]
}

function packArgumentsOf(pack: PushedPack | undefined): unknown[] {
  if (pack === undefined) return [null, null, null, false, [], [], false]
  const { row, claims, isAdmin, allowMissingLfs } = pack
  return [
    ...packArguments(row),
    isAdmin,
    claims.map(({ lfsOid }) => toBytes(lfsOid)),
    claims.map(({ sizeBytes }) => sizeBytes),
    allowMissingLfs,
  ]
}

function toBytes(hex: string | undefined): Buffer | null {
  return hex === undefined ? null : Buffer.from(hex, 'hex')
}
