/** Statements on users. A user's id is the id of their namespace. */
import type { Queryable, UserId } from './queryable.ts'

export interface UserSignInRow {
  userId: UserId
  userName: string
  isAdmin: boolean
  passwordHash: string | null
}

export interface NewUser {
  name: string
  email: string | undefined
  passwordHash: string | undefined
  isAdmin: boolean
}

/** What a sign-in needs; undefined when there is no such user, or a disabled one. */
export async function findUserSignIn(db: Queryable, name: string): Promise<UserSignInRow | undefined> {
  const rows = await db.query<UserSignInRow>(
    `select u.id as "userId", n.name as "userName", u.is_admin as "isAdmin", u.password_hash as "passwordHash"
       from namespaces n
       join users u on u.id = n.id
      where lower(n.name) = lower($1) and u.disabled_at is null`,
    [name],
  )
  return rows[0]
}

/** Stores a user with their namespace; undefined when the name is taken. */
export async function insertUser(db: Queryable, user: NewUser): Promise<UserId | undefined> {
  const rows = await db.query<{ userId: UserId }>(
    `with namespace as (
       insert into namespaces (name, kind) values ($1, 'user')
       on conflict (lower(name)) do nothing
       returning id
     )
     insert into users (id, email, password_hash, is_admin)
     select id, $2, $3, $4 from namespace
     returning id as "userId"`,
    [user.name, user.email ?? null, user.passwordHash ?? null, user.isAdmin],
  )
  return rows[0]?.userId
}

export interface UserRow {
  userId: UserId
  name: string
  email: string | null
  isAdmin: boolean
  disabledAt: Date | null
}

/** The user of that name, disabled or not. */
export async function findUser(db: Queryable, name: string): Promise<UserRow | undefined> {
  const rows = await db.query<UserRow>(
    `select u.id as "userId", n.name, u.email, u.is_admin as "isAdmin", u.disabled_at as "disabledAt"
       from namespaces n
       join users u on u.id = n.id
      where lower(n.name) = lower($1)`,
    [name],
  )
  return rows[0]
}

/** Locks a user out, or lets them in again; disabling twice keeps the first time. */
export async function updateUserDisabled(db: Queryable, userId: UserId, isDisabled: boolean): Promise<void> {
  await db.query(
    `update users
        set disabled_at = case when $2::boolean then coalesce(disabled_at, now()) end
      where id = $1`,
    [userId, isDisabled],
  )
}

/** Gives a user another password. */
export async function updatePasswordHash(db: Queryable, userId: UserId, passwordHash: string): Promise<void> {
  await db.query('update users set password_hash = $2 where id = $1', [userId, passwordHash])
}

/** False on an instance that nobody has set up yet. */
export async function hasUsers(db: Queryable): Promise<boolean> {
  const [row] = await db.query<{ exists: boolean }>('select exists (select from users)')
  return row.exists
}
