/** Where a fetch takes place. */
import type { Limits } from '../../limits.ts'
import type { FetchHost } from '../host.ts'
import type { ObjectDatabase, RefSnapshot } from '../repository.ts'

/** What a fetch is planned on. */
export interface FetchScene {
  host: FetchHost
  objects: ObjectDatabase
  /** Those that the caller may see. */
  refs: RefSnapshot
  limits: Limits
  signal: AbortSignal
}
