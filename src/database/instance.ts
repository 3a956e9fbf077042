/** What all servers of an instance share: the row made by the first migration. */
import type { Queryable } from './queryable.ts'

/** The secret that signs links and sessions, 32 bytes. The database must be migrated. */
export async function readInstanceSecret(db: Queryable): Promise<Buffer> {
  const [row] = await db.query<{ secret: Buffer }>('select secret from instance')
  return row.secret
}
