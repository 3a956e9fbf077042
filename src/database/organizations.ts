/** Statements on organizations, their members, and namespaces in general. */
import type { NamespaceId, Queryable, StoredRole, UserId } from './queryable.ts'

export interface NamespaceRow {
  namespaceId: NamespaceId
  name: string
  kind: 'user' | 'organization'
  /** What the asker holds there: admin in their own, their member role in an organization. */
  role: StoredRole | null
}

/** The user's or organization's namespace of that name, and the role of `userId` in it. */
export async function findNamespace(
  db: Queryable,
  name: string,
  userId: UserId | undefined,
): Promise<NamespaceRow | undefined> {
  const rows = await db.query<NamespaceRow>(
    `select n.id as "namespaceId", n.name, n.kind,
            case when n.id = $2::bigint then 'admin' else m.role end as role
       from namespaces n
       left join organization_members m on m.organization_id = n.id and m.user_id = $2::bigint
      where lower(n.name) = lower($1)`,
    [name, userId ?? null],
  )
  return rows[0]
}

/** Stores an organization with its first member as admin; undefined when the name is taken. */
export async function insertOrganization(
  db: Queryable,
  name: string,
  ownerId: UserId,
): Promise<NamespaceId | undefined> {
  const rows = await db.query<{ namespaceId: NamespaceId }>(
    `with namespace as (
       insert into namespaces (name, kind) values ($1, 'organization')
       on conflict (lower(name)) do nothing
       returning id
     ), organization as (
       insert into organizations (id) select id from namespace returning id
     )
     insert into organization_members (organization_id, user_id, role)
     select id, $2, 'admin' from organization
     returning organization_id as "namespaceId"`,
    [name, ownerId],
  )
  return rows[0]?.namespaceId
}

export interface MemberRow {
  userId: UserId
  name: string
  role: StoredRole
}

/** All members of an organization by name. */
export async function listMembers(db: Queryable, organizationId: NamespaceId): Promise<MemberRow[]> {
  return await db.query<MemberRow>(
    `select m.user_id as "userId", n.name, m.role
       from organization_members m
       join namespaces n on n.id = m.user_id
      where m.organization_id = $1
      order by lower(n.name)`,
    [organizationId],
  )
}

/** Locks an organization, so that changes of its members follow each other; false when there is none of this id. */
export async function lockOrganization(db: Queryable, organizationId: NamespaceId): Promise<boolean> {
  const rows = await db.query('select from organizations where id = $1 for update', [organizationId])
  return rows.length > 0
}

/** Adds a member or changes the role of one. */
export async function upsertMember(
  db: Queryable,
  { organizationId, userId, role }: { organizationId: NamespaceId; userId: UserId; role: StoredRole },
): Promise<void> {
  await db.query(
    `insert into organization_members (organization_id, user_id, role) values ($1, $2, $3)
     on conflict (organization_id, user_id) do update set role = excluded.role`,
    [organizationId, userId, role],
  )
}

/** Removes a member; one that is gone already is no error. */
export async function deleteMember(db: Queryable, organizationId: NamespaceId, userId: UserId): Promise<void> {
  await db.query('delete from organization_members where organization_id = $1 and user_id = $2', [
    organizationId,
    userId,
  ])
}

/** How many members may administer the organization. */
export async function countAdmins(db: Queryable, organizationId: NamespaceId): Promise<number> {
  const rows = await db.query<{ count: number }>(
    `select count(*)::int as count from organization_members where organization_id = $1 and role = 'admin'`,
    [organizationId],
  )
  return rows[0].count
}

export interface MembershipRow {
  namespaceId: NamespaceId
  name: string
  role: StoredRole
}

/** The organizations a user is a member of, by name. */
export async function listMemberships(db: Queryable, userId: UserId): Promise<MembershipRow[]> {
  return await db.query<MembershipRow>(
    `select m.organization_id as "namespaceId", n.name, m.role
       from organization_members m
       join namespaces n on n.id = m.organization_id
      where m.user_id = $1
      order by lower(n.name)`,
    [userId],
  )
}
