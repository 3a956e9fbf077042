/** The connection pool: statements, transactions, and what a lost connection looks like to the rest of the house. */
import pg from 'pg'
import { HoldfastError, isHoldfastError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Database, Queryable } from './queryable.ts'

/** Per server. PostgreSQL's default of 100 connections then serves four servers with their job runners. */
const poolConnectionsMax = 20
/** How long a request waits for a free connection or for the server to accept one. */
const connectTimeoutMs = 10_000
const idleTimeoutMs = 30_000
/** A statement that takes longer is a defect or meets one; it must not hold its connection for ever. */
const statementTimeoutMs = 60_000
/** Pushes to one repository queue on its row, each for milliseconds. */
const lockTimeoutMs = 30_000
/** A server that hangs in the middle of a transaction gives its row locks back. */
const idleInTransactionTimeoutMs = 60_000

/** Conditions of https://www.postgresql.org/docs/current/errcodes-appendix.html under which trying again makes sense. */
const unavailableStates = new Set([
  '53300', // too_many_connections
  '55P03', // lock_not_available: lock_timeout
  '57014', // query_canceled: statement_timeout
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '25P03', // idle_in_transaction_session_timeout
  '40001', // serialization_failure
  '40P01', // deadlock_detected
])
const lostSocketCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
  'EHOSTUNREACH',
  'ENOTFOUND',
])
/** What pg and pg-pool say without a code. */
const lostMessages =
  /connection terminated|connection ended|timeout exceeded when trying to connect|not queryable|after calling end on the pool|client was closed/i

/**
 * Opens a pool on the database at `url`. Connects when first asked; the caller closes it.
 * Errors of lost or refused connections become Unavailable; every other error passes as PostgreSQL reported it.
 */
export function openDatabase(url: string, logger: Logger): Database {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'holdfast',
    max: poolConnectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: idleTimeoutMs,
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    keepAlive: true,
  })
  pool.on('error', (error) => logger.warn({ err: error }, 'an idle database connection was lost'))
  // A client that is lost while lent out emits 'error' too, which would end the process without a listener; the query
  // that was running on it rejects, and that is what gets reported.
  pool.on('connect', (client) => client.on('error', () => {}))

  return {
    query: (sql, values, name) => runQuery(pool, sql, values, name),
    transaction: (run) => runTransaction(pool, run),
    close: () => pool.end(),
  }
}

async function runQuery<Row>(
  client: pg.Pool | pg.PoolClient,
  sql: string,
  values: readonly unknown[] = [],
  name?: string,
): Promise<Row[]> {
  try {
    const result = await client.query({ text: sql, values: [...values], name })
    return result.rows as Row[]
  } catch (error) {
    throw (error as { code?: unknown }).code === untranslatable ? unstorable(error) : asUnavailable(error)
  }
}

/** NUL: the one character that a string may hold and PostgreSQL's text may not. */
const untranslatable = '22021' // character_not_in_repertoire

function unstorable(cause: unknown): HoldfastError {
  return new HoldfastError('InputInvalid', { message: 'A text holds a character that cannot be stored.', cause })
}

async function runTransaction<T>(pool: pg.Pool, run: (tx: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error) => {
    throw asUnavailable(error)
  })
  let broken: Error | undefined
  try {
    const tx: Queryable = { query: (sql, values, name) => runQuery(client, sql, values, name) }
    await tx.query('begin')
    const result = await run(tx)
    await commit(client)
    return result
  } catch (error) {
    broken = await client.query('rollback').then(
      () => undefined,
      (reason: Error) => reason,
    )
    throw error
  } finally {
    client.release(broken)
  }
}

async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('commit').catch((error) => {
    throw asUnavailable(error)
  })
  // PostgreSQL answers a commit of a failed transaction with a rollback and no error.
  if (command !== 'COMMIT') throw new Error('A statement of this transaction failed and its error was not passed on.')
}

/** True where PostgreSQL itself, or a check of ours before it, said no: then the statement has changed nothing. */
export function isRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError || (isHoldfastError(error) && error.code !== 'Unavailable')
}

/** The error as Unavailable if the database was lost or refused to answer now; otherwise the error itself. */
export function asUnavailable(error: unknown): unknown {
  if (!(error instanceof Error) || isHoldfastError(error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const isLost =
    unavailableStates.has(code) ||
    code.startsWith('08') ||
    lostSocketCodes.has(code) ||
    'syscall' in error ||
    lostMessages.test(error.message)
  return isLost ? new HoldfastError('Unavailable', { cause: error }) : error
}
