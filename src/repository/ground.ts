/** What hosted repositories stand on. */
import type { Bucket } from '../bucket/bucket.ts'
import type { Limits } from '../config.ts'
import type { Database } from '../database/queryable.ts'
import type { Disk } from '../disk/disk.ts'

export interface Ground {
  database: Database
  bucket: Bucket
  disk: Disk
  limits: Limits
}
