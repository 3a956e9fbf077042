/** What the rules stand on. Made once in compose.ts and passed first to every rule. */
import type { Bucket } from '../bucket/bucket.ts'
import type { Config } from '../config.ts'
import type { Database } from '../database/queryable.ts'
import type { Logger } from '../logger.ts'
import type { Repositories } from '../repository/repositories.ts'

export interface Hub {
  config: Config
  logger: Logger
  database: Database
  bucket: Bucket
  repositories: Repositories
  /** The instance's secret, shared by all servers: signs links. */
  secret: Buffer
}
