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

interface RefVersionsRow {
  version: string
  packsVersion: string
  /** The ref HEAD points to, latin1. */
  headTarget: string
}

export interface RefSnapshotRow extends RefVersionsRow {
  /** In byte order of their names. */
  pages: RefPageRow[]
}

/** A run of refs. An object for each would cost several times as much, and one string of all would be large to parse. */
export interface RefPageRow {
  /** Joined by line feeds, which no name contains. */
  names: Buffer
  /** 20 bytes each, without separators. */
  ids: Buffer
  /** As many, zeros for refs that are no annotated tags; undefined where none is. */
  peeledIds: Buffer | undefined
}

/** All refs of a repository and the versions they belong to, read in one statement; undefined once it is deleted. */
export async function readRefSnapshot(
  db: Queryable,
  repoId: RepoId,
  refsPerPage: number,
): Promise<RefSnapshotRow | undefined> {
  const rows = await db.query<RefVersionsRow & { [Column in keyof RefPageRow]: Buffer | null }>(
    `select r.refs_version as version, r.packs_version as "packsVersion",
       convert_from(r.head_target, 'LATIN1') as "headTarget", p.names, p.ids, p."peeledIds"
     from repos r
     left join lateral (
       select f.page, string_agg(f.name, '\\x0a' order by f.position) as names,
         string_agg(f.object_id, '' order by f.position) as ids,
         case when count(f.peeled_id) > 0 then
           string_agg(coalesce(f.peeled_id, decode($2, 'hex')), '' order by f.position)
         end as "peeledIds"
       from (
         select name, object_id, peeled_id, position, (position - 1) / $3::bigint as page
         from (select *, row_number() over (order by name) as position from refs where repo_id = r.id) ordered
       ) f
       group by f.page
     ) p on true
     where r.id = $1
     order by p.page`,
    [repoId, noId, refsPerPage],
    'read-ref-snapshot',
  )
  if (rows.length === 0) return undefined
  const [{ version, packsVersion, headTarget }] = rows
  const pages = rows.flatMap(({ names, ids, peeledIds }) =>
    names === null || ids === null ? [] : [{ names, ids, peeledIds: peeledIds ?? undefined }],
  )
  return { version, packsVersion, headTarget, pages }
}

/** Stands for "not an annotated tag" where peeled ids are strung together. */
const noId = '0'.repeat(40)

export interface RefChangesRow extends RefVersionsRow {
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
  const rows = await db.query<RefVersionsRow & { name: string | null } & Record<'id' | 'peeledId', string | null>>(
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
