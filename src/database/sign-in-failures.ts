/**
 * Statements on failed sign-ins: a count per subject (an account or an address) and fixed window, shared by all servers.
 * An attempt is counted before it is judged and taken back when it was right, so that racing attempts cannot slip past
 * the limit together.
 */
import type { Queryable } from './queryable.ts'

export interface SignInFailuresRow {
  subject: string
  failures: number
  /** Until the window ends. */
  retryAfterSeconds: number
}

const windowStart = `to_timestamp(floor(extract(epoch from now()) / $2) * $2)`

/** Counts one attempt for each subject and returns the counts, this attempt included. */
export async function countSignInAttempt(
  db: Queryable,
  subjects: readonly string[],
  windowSeconds: number,
): Promise<SignInFailuresRow[]> {
  // Sorted, so that two attempts that name the same subjects lock their rows in the same order.
  return await db.query<SignInFailuresRow>(
    `insert into sign_in_failures (subject, window_start)
     select subject, ${windowStart} from unnest($1::text[]) as s (subject) order by subject
     on conflict (subject, window_start) do update set failures = sign_in_failures.failures + 1
     returning subject, failures,
               ceil(extract(epoch from window_start) + $2 - extract(epoch from now()))::int as "retryAfterSeconds"`,
    [subjects, windowSeconds],
  )
}

/** Takes an attempt back that turned out to be no failure. */
export async function forgetSignInAttempt(
  db: Queryable,
  subjects: readonly string[],
  windowSeconds: number,
): Promise<void> {
  await db.query(
    `update sign_in_failures set failures = failures - 1
      where window_start = ${windowStart}
        and failures > 0
        and subject = any ($1::text[])`,
    [subjects, windowSeconds],
  )
}

/** Deletes the counts of windows that ended more than one window ago; returns how many. */
export async function deleteOldSignInFailures(db: Queryable, windowSeconds: number): Promise<number> {
  const rows = await db.query(
    `delete from sign_in_failures where window_start < now() - make_interval(secs => 2 * $1::int) returning subject`,
    [windowSeconds],
  )
  return rows.length
}
