/** The Git-Protocol header, and GIT_PROTOCOL in the environment: `key[=value]` pairs between colons; unknown keys and values are passed over (gitprotocol-v2). */
import type { ProtocolVersion } from './capabilities.ts'

/** The highest version that the header offers and we speak; 0 without one. */
export function parseProtocolVersion(header: string | string[] | undefined): ProtocolVersion {
  const pairs = String(header ?? '').split(/[:,]/)
  if (pairs.some((pair) => pair.trim() === 'version=2')) return 2
  return pairs.some((pair) => pair.trim() === 'version=1') ? 1 : 0
}
