/** Tags made and deleted by name. */
import { oneChunk } from '../../bucket/streams.ts'
import { HoldfastError } from '../../errors.ts'
import { hashObject } from '../../git/hash-object.ts'
import { formatFreshPack } from '../../git/pack/fresh-pack.ts'
import { isRefName } from '../../git/ref-name.ts'
import type { GitObject } from '../../git/repository.ts'
import { formatTag } from '../../git/tag.ts'
import { authorNow } from '../commit/authorship.ts'
import type { Hub } from '../hub.ts'
import { moveRef } from '../move-ref.ts'
import type { UserPrincipal } from '../principal.ts'
import type { Repo } from '../repo.ts'
import { resolveRevision } from '../revisions.ts'
import { alreadyExists, deleteRef, findHead } from './branches.ts'

export interface NewTag {
  /** Short. */
  name: string
  revision: string
  /** With one the tag is an object of its own. */
  message: string | undefined
  signal: AbortSignal
}

/**
 * Tags a revision. Throws RevisionNotFound, then InputInvalid for what cannot be a tag's name or message, Conflict where
 * there is a tag of that name, AccessDenied where a rule speaks against it.
 */
export async function createTag(
  hub: Hub,
  principal: UserPrincipal,
  repo: Repo,
  { name, revision, message, signal }: NewTag,
): Promise<void> {
  const { commitId } = await resolveRevision(hub, repo, revision)
  const refName = tagRef(name)
  if ((await findHead(hub, repo, refName)) !== undefined) throw alreadyExists(refName)
  if (message === undefined || message.trim() === '') {
    const command = { name: refName, oldId: undefined, newId: commitId }
    if (!(await moveRef(hub, principal, repo, { command, signal }))) throw alreadyExists(refName)
    return
  }
  checkMessage(message, hub.config.limits.commitMessageMaxBytes)
  const tagger = authorNow(hub, principal)
  const text = `${message.trimEnd()}\n`
  const tag: GitObject = {
    type: 'tag',
    data: formatTag({ objectId: commitId, type: 'commit', name, tagger, message: text }),
  }
  const command = { name: refName, oldId: undefined, newId: hashObject(tag) }
  const pack = oneChunk(formatFreshPack([tag]))
  if (!(await moveRef(hub, principal, repo, { command, pack, signal }))) throw alreadyExists(refName)
}

/** Deletes a tag. Throws RevisionNotFound where there is none. */
export async function deleteTag(
  hub: Hub,
  principal: UserPrincipal,
  repo: Repo,
  { name, signal }: { name: string; signal: AbortSignal },
): Promise<void> {
  const refName = `refs/tags/${Buffer.from(name)
    .toString('latin1')
    .replace(/^refs\/tags\//, '')}`
  await deleteRef(hub, principal, repo, { refName, signal })
}

function tagRef(name: string): string {
  const refName = `refs/tags/${Buffer.from(name).toString('latin1')}`
  if (!name.startsWith('refs/') && name.isWellFormed() && isRefName(refName)) return refName
  throw new HoldfastError('InputInvalid', { message: `Invalid reference for a tag: ${name.slice(0, 300)}` })
}

function checkMessage(message: string, maxBytes: number): void {
  if (!message.includes('\0') && message.isWellFormed() && Buffer.byteLength(message) <= maxBytes) return
  throw new HoldfastError('InputInvalid', {
    message: `A tag's message is Unicode text without NUL of up to ${maxBytes} bytes.`,
  })
}
