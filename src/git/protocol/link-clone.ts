/** Version 2's `packfile-uris` (gitprotocol-v2): the client downloads the clone pack itself, and is sent what came since. */

import { planClone } from './clone-plan.ts'
import type { PackAnswer } from './fetch-plan.ts'

export interface LinkedClone {
  /** The pack's, in hex: the client knows by it that it got the right bytes. */
  checksum: string
  uri: string
  /** What the pack lacks. To be sent without deltas against it: the client reads this first. */
  since: Uint32Array
}

/** The link, for a client that asked for links and for all that the clone pack holds. */
export async function linkClone(answer: PackAnswer): Promise<LinkedClone | undefined> {
  const { request, host, objects } = answer
  if (request.uriProtocols.length === 0 || host.cloneLinks === undefined || objects.clonePack === undefined) return
  const plan = await planClone(answer)
  if (plan === undefined || plan.section.end < plan.pack.sections.blobs.end) return
  // What came since must be read.
  if (plan.since.length > 0 && host.packSender?.(objects)?.isAlways) return
  const uri = await host.cloneLinks.pack(plan.pack)
  const protocol = uri === undefined ? undefined : new URL(uri).protocol.slice(0, -1)
  if (uri === undefined || protocol === undefined || !request.uriProtocols.includes(protocol)) return
  return { checksum: plan.pack.checksum.toString('hex'), uri, since: plan.since }
}
