/**
 * Links to clone packs and their bundles: to the store itself where it signs, otherwise to this server. For a few minutes,
 * as whoever holds one needs no account, and sees what it names even if that was forced away or made private meanwhile.
 */
import { type PackFileKind, packIdOfKey, packKey } from '../bucket/keys.ts'
import { hasBundle } from '../database/packs.ts'
import { HoldfastError } from '../errors.ts'
import type { CloneLinks } from '../git/host.ts'
import type { ByteStream } from '../git/object-id.ts'
import type { Hub } from './hub.ts'
import type { Repo } from './repo.ts'
import { signLink } from './signed-links.ts'

/** The second part of the path of a signed link to a file of a pack; its repository and its name follow. */
export const packLinks = 'packs'

/** The links to what a clone of `repo` begins with; undefined where it is too small for them, or has no clone pack. */
export function cloneLinks(hub: Hub, repo: Repo): CloneLinks | undefined {
  if (repo.clonePackBytes === null || repo.clonePackBytes < hub.config.limits.cloneLinkMinBytes) return undefined
  return {
    pack: ({ id }) => linkTo(hub, repo, id, 'pack'),
    bundle: async ({ id }) => ((await hasBundle(hub.database, id)) ? await linkTo(hub, repo, id, 'bundle') : undefined),
  }
}

async function linkTo(hub: Hub, repo: Repo, packId: string, kind: 'pack' | 'bundle'): Promise<string> {
  const expiresInSeconds = hub.config.limits.cloneLinkExpiresInSeconds
  const direct = await hub.bucket.signedGet(packKey(repo.id, packId, kind), { expiresInSeconds })
  if (direct !== undefined) return direct
  return signLink(hub, { method: 'GET', parts: [packLinks, repo.id, `${packId}.${kind}`] }, expiresInSeconds)
}

export interface LinkedBytes {
  sizeBytes: number
  /** Each chunk holds until the next is asked for. */
  read(range?: { start: number; end: number }): Promise<ByteStream>
}

/** What a signed link of ours names. Throws BytesMissing where it has been deleted. */
export async function openLinkedPack(hub: Hub, repoId: string, name: string): Promise<LinkedBytes> {
  const [packId, kind] = name.split('.')
  const key = packKey(repoId, packId, kind as PackFileKind)
  const stat = packIdOfKey(key) === undefined ? undefined : await hub.bucket.stat(key)
  if (stat === undefined) throw new HoldfastError('BytesMissing')
  return { sizeBytes: stat.sizeBytes, read: (range) => hub.bucket.get(key, range, { reusesChunks: true }) }
}
