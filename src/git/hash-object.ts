/** The id of an object that is whole in memory: the SHA-1 of `<type> <size>\0` and its content. */
import { createHash } from 'node:crypto'
import type { ObjectId } from './object-id.ts'
import type { GitObject } from './repository.ts'

/** The object's id, as `git hash-object` tells it. */
export function hashObject({ type, data }: GitObject): ObjectId {
  return createHash('sha1').update(`${type} ${data.length}\0`).update(data).digest('hex') as ObjectId
}
