/** A small pack of objects made here (a commit by the API), as a client would push it. */
import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import type { GitObject } from '../repository.ts'
import { formatEntry, writePackHeader } from './format.ts'

/** The bytes of a self-contained pack of `objects`, whole entries in the given order. */
export function formatFreshPack(objects: readonly GitObject[]): Buffer {
  const entries = objects.map((object) => formatEntry(object, deflateSync(object.data)))
  const bytes = Buffer.concat([writePackHeader(objects.length), ...entries])
  return Buffer.concat([bytes, createHash('sha1').update(bytes).digest()])
}
