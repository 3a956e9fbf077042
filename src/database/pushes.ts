/** The transaction of a push: one statement, hence one round trip, and the repository's row is locked for its length only. */
import { HoldfastError } from '../errors.ts'
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
  /** Enqueued if any command is granted. */
  jobs?: readonly Omit<JobNote, 'runAt'>[]
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
  /** The place of the pack among the repository's; null where none became visible. */
  packSequence: string | null
}

/**
 * Moves refs by compare-and-swap and makes the pack visible, whole or not at all; its bytes must be durable. Each command
 * is granted or refused by itself, or, if `atomic`, all are; the branch that HEAD names is never deleted. If any is
 * granted the pack becomes visible and what it points to is granted; if any ref moves the refs' version is raised and the
 * ref log written. Throws RepoNotFound where the repository is gone, BytesMissing where LFS objects are; after any other
 * error it is open whether it was committed.
 */
export async function commitPush(db: Queryable, push: NewPush): Promise<PushOutcome> {
  const [row] = await db
    .query<PushRow>(
      `select reasons, rules_changed as "rulesChanged", new_refs_version as "refsVersion",
         new_packs_version as "packsVersion", pack_sequence as "packSequence"
       from commit_push($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
      [...refArguments(push), ...packArgumentsOf(push.pack), JSON.stringify(push.jobs ?? [])],
      'commit-push',
    )
    .catch((error: unknown) => {
      throw (error as { code?: unknown }).code === lfsMissing ? new HoldfastError('BytesMissing') : error
    })
  if (row === undefined) throw new HoldfastError('RepoNotFound')
  const { reasons, ...outcome } = row
  const judged = outcome.rulesChanged ? [] : push.commands
  const results = judged.map(({ name }, index) => ({ name, reason: reasons[index] ?? undefined }))
  return { ...outcome, results, applied: results.some(({ reason }) => reason === undefined) }
}

/** The SQLSTATE with which grant_pushed_lfs_objects fails. */
const lfsMissing = 'HF001'

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
