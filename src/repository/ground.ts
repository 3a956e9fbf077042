/** What hosted repositories stand on. */
import type { Bucket } from '../bucket/bucket.ts'
import type { Limits } from '../config.ts'
import type { Database } from '../database/queryable.ts'
import type { Disk } from '../disk/disk.ts'
import type { GitTasks } from '../git/worker.ts'
import type { Workers } from '../work.ts'
import type { ReceiveMemory } from './receive-memory.ts'

export interface Ground {
  database: Database
  bucket: Bucket
  disk: Disk
  /** Where work runs that takes the processor for long. */
  workers: Workers<GitTasks>
  receiveMemory: ReceiveMemory
  limits: Limits
}
