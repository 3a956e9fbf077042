/** Opens hosted repositories: pack sets by catalogue version, shared between requests. */
import type { Bucket } from '../bucket/bucket.ts'
import type { Database } from '../database/queryable.ts'
import type { Disk } from '../disk/disk.ts'

export interface Repositories {
  database: Database
  bucket: Bucket
  disk: Disk
}
