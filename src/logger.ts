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

/** A logger that writes JSON lines to standard error, so that standard output stays free for what commands print. */
export function createLogger(level: string): Logger {
  return pino(
    { level, redact: { paths: redactedPaths, censor: '[redacted]' } },
    pino.destination({ fd: 2, sync: false }),
  )
}
