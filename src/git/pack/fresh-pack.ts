/** A small pack of objects made here (a commit by the API), as a client would push it. */
import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import type { GitObject } from '../repository.ts'
import { entryHeaderMaxBytes, typeCodes, writeEntryHeader, writePackHeader } from './format.ts'

/** The bytes of a self-contained pack of `objects`, whole entries in the given order. */
export function formatFreshPack(objects: readonly GitObject[]): Buffer {
  const parts = [writePackHeader(objects.length)]
  for (const { type, data } of objects) {
    const header = Buffer.allocUnsafe(entryHeaderMaxBytes)
    const headerBytes = writeEntryHeader(header, 0, typeCodes[type], data.length)
    parts.push(header.subarray(0, headerBytes), deflateSync(data))
  }
  const bytes = Buffer.concat(parts)
  return Buffer.concat([bytes, createHash('sha1').update(bytes).digest()])
}
