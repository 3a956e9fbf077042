/** Refs: read whole, moved by the one function that moves them (migrations/0004_push.sql). */
import { HoldfastError } from '../errors.ts'
import type { Queryable, RepoId, UserId } from './queryable.ts'

/** The same text brand as in git/object-id.ts, which this room does not know: 40 lower-case hex digits. */
export type ObjectIdText = string & { readonly brand: 'ObjectId' }

export interface RefRow {
  /** The name's bytes in latin1. */
  name: string
  id: ObjectIdText
  peeledId: ObjectIdText | undefined
}

export interface RefSnapshotRow {
  version: string
  packsVersion: string
  /** The ref HEAD points to, latin1. */
  headTarget: string
  /** In byte order of their names. */
  refs: RefRow[]
}

const idHexLength = 40
/** Stands for "not an annotated tag" where peeled ids are strung together. */
const noId = '0'.repeat(idHexLength)

/**
 * All refs of a repository and the versions they belong to, read in one statement; undefined once it is deleted.
 * The rows come as three strings: 100,000 of them would cost five times as much as rows of their own.
 */
export async function readRefSnapshot(db: Queryable, repoId: RepoId): Promise<RefSnapshotRow | undefined> {
  const [row] = await db.query<SnapshotStrings & Omit<RefSnapshotRow, 'refs' | 'headTarget'> & { headTarget: Buffer }>(
    `select r.refs_version as version, r.packs_version as "packsVersion", r.head_target as "headTarget", s.*
     from repos r
     cross join lateral (
       select string_agg(f.name, '\\x0a') as names,
         encode(string_agg(f.object_id, ''), 'hex') as ids,
         encode(string_agg(coalesce(f.peeled_id, decode($2, 'hex')), ''), 'hex') as "peeledIds"
       from (select name, object_id, peeled_id from refs where repo_id = r.id order by name) f
     ) s
     where r.id = $1`,
    [repoId, noId],
    'read-ref-snapshot',
  )
  if (row === undefined) return undefined
  const { version, packsVersion, headTarget } = row
  return { version, packsVersion, headTarget: headTarget.toString('latin1'), refs: parseRefs(row) }
}

/** Null where there are no refs. Names are joined by line feeds, which none contains; ids stand without separators. */
interface SnapshotStrings {
  names: Buffer | null
  ids: string | null
  peeledIds: string | null
}

function parseRefs({ names, ids, peeledIds }: SnapshotStrings): RefRow[] {
  if (names === null || ids === null || peeledIds === null) return []
  return names
    .toString('latin1')
    .split('\n')
    .map((name, index) => {
      const start = index * idHexLength
      const peeledId = peeledIds.slice(start, start + idHexLength)
      return {
        name,
        id: ids.slice(start, start + idHexLength) as ObjectIdText,
        peeledId: peeledId === noId ? undefined : (peeledId as ObjectIdText),
      }
    })
}

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

/** What a push said about itself, kept beside its lines in the ref log. */
export interface PushDetails {
  options: readonly string[]
  certificate: { bytes: Buffer; pusher: string | undefined; nonceStatus: string } | undefined
}

export interface RefMoves {
  repoId: RepoId
  actorId: UserId | undefined
  commands: readonly RefMove[]
  atomic: boolean
  /** The version of the rules by which the commands were judged. */
  rulesVersion: string
  details?: PushDetails
}

export interface RefMovesOutcome {
  results: RefMoveResult[]
  /** True if any command was granted. */
  applied: boolean
  /** The rules are no longer those of `rulesVersion`: nothing was done, and there are no results. */
  rulesChanged: boolean
}

/** `reason` is undefined where the command was granted, otherwise what stands behind `ng <ref>`. */
export interface RefMoveResult {
  name: string
  reason: string | undefined
}

/**
 * Moves refs by compare-and-swap, in the caller's transaction; locks the repository's row until it ends. Each command is
 * granted or refused by itself, or, if `atomic`, all are; the branch that HEAD names is never deleted. Raises the refs'
 * version by one and writes the ref log if anything moved. Throws RepoNotFound where the repository is gone.
 */
export async function applyRefCommands(
  tx: Queryable,
  { repoId, actorId, commands, atomic, rulesVersion, details }: RefMoves,
): Promise<RefMovesOutcome> {
  if (commands.length === 0) return { results: [], applied: false, rulesChanged: false }
  const [row] = await tx.query<{ reasons: (string | null)[]; rulesChanged: boolean }>(
    `select reasons, rules_changed as "rulesChanged"
       from apply_ref_commands($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
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
    ],
    'apply-ref-commands',
  )
  if (row === undefined) throw new HoldfastError('RepoNotFound')
  if (row.rulesChanged) return { results: [], applied: false, rulesChanged: true }
  const results = commands.map(({ name }, index) => ({ name, reason: row.reasons[index] ?? undefined }))
  return { results, applied: results.some(({ reason }) => reason === undefined), rulesChanged: false }
}

function toBytes(id: string | undefined): Buffer | null {
  return id === undefined ? null : Buffer.from(id, 'hex')
}
