/** The one logger. Secrets are cut out by path; what is not listed here must never be passed to a log call. */
import { pino } from 'pino'

export type Logger = pino.Logger

const redactedPaths = [
  'req.headers.authorization',
  'req.headers.cookie',
  'headers.authorization',
  'headers.cookie',
  'authorization',
  'password',
  'token',
]

/**
 * Lines gather for a moment: each write(2) wakes a thread, which under load cost more than the requests that the lines
 * tell of. Ending flushes them; a kill loses the last ones.
 */
const gathering = { minLength: 4_096, periodicFlush: 50 }

/** A logger that writes JSON lines to standard error, so that standard output stays free for what commands print. */
export function createLogger(level: string): Logger {
  return pino(
    { level, redact: { paths: redactedPaths, censor: '[redacted]' } },
    pino.destination({ fd: 2, sync: false, ...gathering }),
  )
}
