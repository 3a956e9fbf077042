/** What the rules stand on. Made once in compose.ts and passed first to every rule. */
import type { Bucket } from '../bucket/bucket.ts'
import type { Config } from '../config.ts'
import type { Database } from '../database/queryable.ts'
import type { FormatTasks } from '../formats/worker.ts'
import type { Logger } from '../logger.ts'
import type { Repositories } from '../repository/repositories.ts'
import type { Workers } from '../work.ts'

export interface Hub {
  config: Config
  logger: Logger
  database: Database
  bucket: Bucket
  repositories: Repositories
  /** For what would hold the event loop up. */
  workers: Workers<FormatTasks>
  /** The instance's secret, shared by all servers: signs links. */
  secret: Buffer
}
