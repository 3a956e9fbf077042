/** What one request costs: a journal of the statements and bucket requests that a house makes, request by request. */
import type { Bucket } from '../../src/bucket/bucket.ts'
import type { Database, Queryable } from '../../src/database/queryable.ts'
import type { Logger } from '../../src/logger.ts'

export interface RequestCost {
  /** Method and path, as the request's log line tells them. */
  what: string
  status: number
  /** Names of prepared statements, or how a statement without one begins; each is a round trip. */
  statements: string[]
  /** Methods of the bucket that were called; each is a request to a store. */
  bucketCalls: string[]
}

export interface Journal {
  /** What a request cost that has ended; the next begins anew. Requests are to come one after another. */
  readonly requests: RequestCost[]
  database(database: Database): Database
  bucket(bucket: Bucket): Bucket
  logger: Logger
  /** Forgets what was written so far. */
  clear(): void
}

export function openJournal(): Journal {
  const requests: RequestCost[] = []
  let statements: string[] = []
  let bucketCalls: string[] = []

  const watch = (db: Queryable): Queryable['query'] => {
    return (sql, values, name) => {
      statements.push(name ?? sql.trim().split(/\s+/, 4).join(' '))
      return db.query(sql, values, name)
    }
  }

  function note(line: { what?: string; status?: number }): void {
    if (line.what === undefined || line.status === undefined) return
    requests.push({ what: line.what, status: line.status, statements, bucketCalls })
    statements = []
    bucketCalls = []
  }

  return {
    requests,
    database: (database) => ({
      query: watch(database),
      async transaction(run) {
        statements.push('begin')
        const result = await database.transaction((tx) => run({ query: watch(tx) }))
        statements.push('commit')
        return result
      },
      close: () => database.close(),
    }),
    bucket: (bucket) =>
      new Proxy(bucket, {
        get(target, method: keyof Bucket) {
          const value = target[method]
          if (typeof value !== 'function') return value
          return (...args: unknown[]) => {
            // No store answers it: it opens what lies in a local folder.
            if (method !== 'openFile') bucketCalls.push(method)
            return (value as (...args: unknown[]) => unknown).apply(target, args)
          }
        },
      }),
    logger: { info: note, error: note, warn: () => {}, debug: () => {} } as unknown as Logger,
    clear() {
      requests.length = 0
      statements = []
      bucketCalls = []
    },
  }
}
