/** What every SQL function takes first: the pool, or the one connection of an open transaction. */

export interface Queryable {
  /**
   * Runs one statement; `name` makes it a prepared statement of that name. Resolves to the rows: int8 as text, bytea as
   * Buffer, timestamptz as Date. Rejects with Unavailable when the database cannot be reached or is lost.
   */
  query<Row>(sql: string, values?: readonly unknown[], name?: string): Promise<Row[]>
}

export interface Database extends Queryable {
  /**
   * Runs `run` in one transaction on one connection: commits when it resolves, rolls back when it rejects. Never nested;
   * never held across network I/O to a client or to the bucket (design law 2).
   */
  transaction<T>(run: (tx: Queryable) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** bigint ids travel as text: they are names, not numbers. */
export type RepoId = string & { readonly brand: 'RepoId' }
export type NamespaceId = string & { readonly brand: 'NamespaceId' }
export type UserId = NamespaceId & { readonly brandUser: 'UserId' }

/** What members, collaborators and tokens hold, as the schema spells it. */
export type StoredRole = 'read' | 'write' | 'admin'
