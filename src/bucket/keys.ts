/**
 * The only place that names keys. Every key ends in a random id, so that none is ever reused and no sweep can race a
 * second upload of the same content (design.md §3).
 */
import { randomUUID } from 'node:crypto'

export type PackFileKind = 'pack' | 'idx' | 'bundle'

/** A fresh random id for a pack or an upload. */
export function newKeyId(): string {
  return randomUUID()
}

/** Where one of a pack's files lies. */
export function packKey(repoId: string, packId: string, kind: PackFileKind): string {
  return `packs/${repoId}/${packId}.${kind}`
}

/** The keys of the files that every pack has, in the order pack, index. */
export function packKeys(repoId: string, packId: string): [pack: string, index: string] {
  return [packKey(repoId, packId, 'pack'), packKey(repoId, packId, 'idx')]
}

/** The pack that a key belongs to; undefined for a key that `packKey` never makes. */
export function packIdOfKey(key: string): string | undefined {
  return /^packs\/\d+\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?:pack|idx|bundle)$/.exec(key)?.[1]
}

/** Whether `lfsKey` could have made this key. */
export function isLfsKey(key: string): boolean {
  return /^lfs\/[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]{64}\.[0-9a-f-]{36}$/.test(key)
}

/** `oid` is the 64 hex digits of the content's SHA-256. */
export function lfsKey(oid: string, uploadId: string): string {
  return `lfs/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}.${uploadId}`
}

/** Where the parts of an upload gather, which no row names: the one place where a client's retry may replace bytes. */
export function lfsPartsPrefix(uploadId: string): string {
  return `lfs-parts/${uploadId}/`
}

/** Where one part lies, by its name. */
export function lfsPartKey(uploadId: string, part: string): string {
  return lfsPartsPrefix(uploadId) + part
}

/** Whether `lfsPartKey` could have made this key. */
export function isLfsPartKey(key: string): boolean {
  return /^lfs-parts\/[0-9a-f-]{36}\/\d{5}$/.test(key)
}

export const keyPrefixes = { packs: 'packs/', lfs: 'lfs/', lfsParts: 'lfs-parts/' } as const

/** A key that nothing but the probe at the start uses. */
export function probeKey(): string {
  return `probe/${randomUUID()}`
}

const keyPattern = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/

/**
 * Throws unless `key` is a path of harmless names: nothing in it leaves a folder, needs escaping in a URL, or sorts
 * otherwise in UTF-8 than in UTF-16. Keys are made above; another one is a defect, not an input.
 */
export function assertKey(key: string): void {
  if (!keyPattern.test(key) || key.length > 512) throw new Error(`Not a key: ${JSON.stringify(key.slice(0, 100))}`)
}
