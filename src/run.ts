/** A process that runs until it is told to stop: starts a server or a worker, greets, and closes with grace. */
import closeWithGrace from 'close-with-grace'
import { type OpenedHub, startServer, startWorker } from './compose.ts'
import type { Config } from './config.ts'
import { hasUsers } from './database/users.ts'
import { examinePublicUrl } from './hub/doctor.ts'
import { createLogger, type Logger } from './logger.ts'

// Behind the graceful stop's own limit, so that what it waits for is cut off there and not here.
const closeMarginMs = 10_000

/** Serves until SIGTERM or SIGINT, then finishes running transfers. */
export async function runServer(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel)
  const onDatabaseLost = () => {
    // Without its claim another server may open the folder: what runs here ends now, and whoever supervises starts it again.
    logger.fatal('embedded PostgreSQL has ended, and Holdfast with it')
    process.exit(1)
  }
  const server = await startServer(config, { logger, onDatabaseLost })
  stopWithGrace(config, logger, server)
  logger.info({ url: server.url, publicUrl: config.publicUrl }, 'Holdfast listens')
  const { verdict, message } = examinePublicUrl(config.publicUrl, config.host)
  if (verdict !== 'well') logger.warn(message)
  if (!(await hasUsers(server.hub.database))) process.stderr.write(greeting(config.publicUrl))
}

/** Runs background jobs until SIGTERM or SIGINT, then finishes the one that runs. */
export async function runWorker(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel)
  stopWithGrace(config, logger, await startWorker(config, { logger }))
  logger.info('Holdfast works on background jobs')
}

function stopWithGrace(config: Config, logger: Logger, opened: OpenedHub): void {
  closeWithGrace({ delay: config.limits.gracefulStopMs + closeMarginMs, logger }, async ({ err, signal }) => {
    if (err !== undefined) logger.fatal({ err }, 'Holdfast stops after a defect')
    else logger.info({ signal }, 'Holdfast stops')
    await opened.close()
  })
}

function greeting(publicUrl: string): string {
  return `
  Holdfast listens on ${publicUrl}

  There are no users yet. In a second terminal:

    npx holdfast user create alice --admin
    npx holdfast token create alice --role write
    npx holdfast repo create model alice/first

  Then clone with the token as password: git clone ${publicUrl}/alice/first

`
}
