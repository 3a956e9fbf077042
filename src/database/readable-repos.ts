/** Which repositories somebody may read, as a condition on their rows: the same facts as hub/access.ts decides on, as a set. */
import type { UserId } from './queryable.ts'

export interface Reader {
  /** Undefined for nobody signed in, who reads what is public. */
  userId: UserId | undefined
  /** Reads everything. */
  isAll: boolean
}

/** Of `repos r`; `user` and `isAll` are SQL parameters. What the user holds is looked up once, not for every row. */
export function readableBy(user: string, isAll: string): string {
  return `(
    ${isAll}::boolean or r.visibility = 'public'
    or r.namespace_id = ${user}::bigint
    or r.namespace_id = any (array(select m.organization_id from organization_members m where m.user_id = ${user}::bigint))
    or r.id = any (array(select c.repo_id from collaborators c where c.user_id = ${user}::bigint)))`
}
