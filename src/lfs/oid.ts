/** LFS oids: the SHA-256 of the content, 64 lower-case hex digits. */

export type LfsOid = string & { readonly brand: 'LfsOid' }

/** The value as an oid, or undefined unless it is a string of exactly 64 lower-case hex digits. */
export function parseLfsOid(value: unknown): LfsOid | undefined {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? (value as LfsOid) : undefined
}
