/** Refs, read whole. They are moved by pushes.ts. */
import type { Queryable, RepoId } from './queryable.ts'

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

export interface RefChangesRow extends Omit<RefSnapshotRow, 'refs'> {
  /** In byte order of their names; `ref` is undefined for what is gone. */
  changes: { name: string; ref: RefRow | undefined }[]
}

/**
 * What has become of the refs that moved after `version`, by their log, and the versions at which they are so, read in one
 * statement. Undefined once the repository is deleted, and where more than `changesMax` refs moved.
 */
export async function readRefChanges(
  db: Queryable,
  repoId: RepoId,
  { version, changesMax }: { version: number; changesMax: number },
): Promise<RefChangesRow | undefined> {
  const rows = await db.query<
    Omit<RefSnapshotRow, 'refs'> & { name: string | null } & Record<'id' | 'peeledId', string | null>
  >(
    `select r.refs_version as version, r.packs_version as "packsVersion",
       convert_from(r.head_target, 'LATIN1') as "headTarget", convert_from(l.name, 'LATIN1') as name,
       encode(f.object_id, 'hex') as id, encode(f.peeled_id, 'hex') as "peeledId"
     from repos r
     left join lateral (
       select distinct name from ref_log where repo_id = r.id and version > $2 order by name limit $3
     ) l on true
     left join lateral (select object_id, peeled_id from refs where repo_id = r.id and name = l.name offset 0) f on true
     where r.id = $1
     order by l.name`,
    [repoId, version, changesMax + 1],
    'read-ref-changes',
  )
  if (rows.length === 0 || rows.length > changesMax) return undefined
  const changes = rows.flatMap(({ name, id, peeledId }) => {
    if (name === null) return []
    const ref = { name, id: id as ObjectIdText, peeledId: (peeledId as ObjectIdText | null) ?? undefined }
    return [{ name, ref: id === null ? undefined : ref }]
  })
  const [{ version: newVersion, packsVersion, headTarget }] = rows
  return { version: newVersion, packsVersion, headTarget, changes }
}
