/**
 * The transaction of a push (design law 2): refs by compare-and-swap, the pack's row, LFS grants and notes for the
 * background, together or not at all.
 */
import { enqueueJob } from '../database/jobs.ts'
import type { FalseLfsClaim } from '../database/lfs-objects.ts'
import type { Queryable } from '../database/queryable.ts'
import { applyRefCommands } from '../database/refs.ts'
import { HoldfastError, isHoldfastError } from '../errors.ts'
import type { PushRequest } from '../git/host.ts'
import type { ObjectId } from '../git/object-id.ts'
import type { RefCommand, RefResult } from '../git/repository.ts'
import type { QuarantinedPack } from '../repository/quarantine.ts'
import type { Hub } from './hub.ts'
import { findMissingLfs, grantLfs } from './lfs-presence.ts'
import type { Principal } from './principal.ts'
import { detailsOf } from './push-certificates.ts'
import { explainMissingLfs, type PushContent, type PushedPointer, pointerKey } from './push-content.ts'
import type { CheckedCommand } from './push-rules.ts'
import type { Repo } from './repo.ts'

export interface PushOptions {
  /** Takes pointers whose content nobody has: for importing histories that hold pointers as fixtures. */
  allowMissingLfs?: boolean
}

/** What stays the same throughout one push. */
export interface Push {
  hub: Hub
  principal: Principal
  repo: Repo
  options: PushOptions
  request: PushRequest
}

/** A pack that came whole, and what was noticed in it. */
export interface Arrived {
  quarantine: QuarantinedPack
  content: PushContent
}

/** Commands, and the version of the rules by which they were judged. */
export interface JudgedCommands {
  commands: readonly CheckedCommand[]
  rulesVersion: string
}

/**
 * Moves the refs and makes the pack visible; the results of the commands, or undefined where the rules have changed since
 * and nothing was done. Where it throws its outcome is unknown: the bytes then stay for the sweep, in case it was
 * committed.
 */
export async function commitPush(
  push: Push,
  { commands, rulesVersion }: JudgedCommands,
  pack: Arrived | undefined,
): Promise<RefResult[] | undefined> {
  const { hub, principal, repo, options, request } = push
  const pointers = [...(pack?.content.pointers.values() ?? [])]
  let missing: FalseLfsClaim[] = []
  const applied = await hub.database
    .transaction(async (tx) => {
      const outcome = await applyRefCommands(tx, {
        repoId: repo.id,
        actorId: principal.kind === 'user' ? principal.userId : undefined,
        commands,
        atomic: request.atomic,
        rulesVersion,
        details: detailsOf(hub, repo, request),
      })
      if (!outcome.applied || pack === undefined) return outcome
      missing = await findMissingLfs(tx, { repo, principal, pointers })
      if (missing.length > 0 && options.allowMissingLfs !== true) throw new HoldfastError('BytesMissing')
      await grantLfs(tx, { repo, oids: presentOids(pointers, missing) })
      await publish(tx, push, pack.quarantine)
      return outcome
    })
    .catch((error: unknown) => {
      if (isHoldfastError(error, 'BytesMissing')) return undefined
      throw error
    })
  if (applied?.rulesChanged) return undefined
  if (applied?.applied !== true) await pack?.quarantine.discard()
  if (applied !== undefined) return applied.results
  if (pack !== undefined) {
    request.progress(await explainMissingLfs(pack.quarantine.objects, tipsOf(commands), pack.content, missing))
  }
  return failAll(commands, 'Git LFS files are missing')
}

async function publish(tx: Queryable, { hub, repo }: Push, quarantine: QuarantinedPack): Promise<void> {
  await quarantine.publish(tx)
  if (quarantine.packCount < hub.config.limits.compactionPacksMin) return
  await enqueueJob(tx, { name: 'compact', payload: { repoId: repo.id }, key: `compact:${repo.id}` })
}

function presentOids(pointers: readonly PushedPointer[], missing: readonly FalseLfsClaim[]): string[] {
  const absent = new Set(missing.map(pointerKey))
  return pointers.filter((pointer) => !absent.has(pointerKey(pointer))).map(({ lfsOid }) => lfsOid)
}

/** The objects that the commands point refs to. */
export function tipsOf(commands: readonly RefCommand[]): ObjectId[] {
  return commands.flatMap(({ newId }) => (newId === undefined ? [] : [newId]))
}

/** The same reason for all. */
export function failAll(commands: readonly RefCommand[], reason: string): RefResult[] {
  return commands.map(({ name }) => ({ name, reason }))
}
