/**
 * The only place that names keys. Every key ends in a random id, so that none is ever reused and no sweep can race a
 * second upload of the same content (design.md §3).
 */
import { randomUUID } from 'node:crypto'

export type PackFileKind = 'pack' | 'idx'

/** A fresh random id for a pack or an upload. */
export function newKeyId(): string {
  return randomUUID()
}

export function packKey(repoId: string, packId: string, kind: PackFileKind): string {
  return `packs/${repoId}/${packId}.${kind}`
}

/** `oid` is the 64 hex digits of the content's SHA-256. */
export function lfsKey(oid: string, uploadId: string): string {
  return `lfs/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}.${uploadId}`
}

export const keyPrefixes = { packs: 'packs/', lfs: 'lfs/' } as const
