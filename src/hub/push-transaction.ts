/**
 * The transaction of a push (design law 2): refs by compare-and-swap, the pack's row, LFS grants and notes for the
 * background, together or not at all, in one statement.
 */
import type { JobNote } from '../database/jobs.ts'
import { commitPush as commitRows } from '../database/push-queue.ts'
import type { AnsweredRequest, PushedPack } from '../database/pushes.ts'
import { isHoldfastError } from '../errors.ts'
import type { PushRequest } from '../git/host.ts'
import type { ObjectId } from '../git/object-id.ts'
import type { RefCommand, RefResult } from '../git/repository.ts'
import type { QuarantinedPack } from '../repository/quarantine.ts'
import type { Hub } from './hub.ts'
import { findMissingLfs } from './lfs-presence.ts'
import type { Principal } from './principal.ts'
import { detailsOf } from './push-certificates.ts'
import { explainMissingLfs, type PushContent } from './push-content.ts'
import type { CheckedCommand } from './push-rules.ts'
import type { Repo } from './repo.ts'

export interface PushOptions {
  /** Takes pointers whose content nobody has: for importing histories that hold pointers as fixtures. */
  allowMissingLfs?: boolean
  /** The request of the API behind a push of one command, whose answer is noted in the push's transaction. */
  answer?: AnsweredRequest
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
  /** What the commands make due. */
  jobs: readonly JobNote[]
}

/**
 * Moves the refs and makes the pack visible; the results of the commands, or undefined where the rules have changed since
 * and nothing was done. Where it throws its outcome is unknown: the bytes then stay for the sweep, in case it was
 * committed.
 */
export async function commitPush(
  push: Push,
  { commands, rulesVersion, jobs }: JudgedCommands,
  pack: Arrived | undefined,
): Promise<RefResult[] | undefined> {
  const { hub, principal, repo, request } = push
  const outcome = await commitRows(hub.database, {
    repoId: repo.id,
    actorId: principal.kind === 'user' ? principal.userId : undefined,
    commands,
    atomic: request.atomic,
    rulesVersion,
    details: detailsOf(hub, repo, request),
    pack: pack === undefined ? undefined : pushedPack(push, pack),
    jobs,
    answer: push.options.answer,
  }).catch((error: unknown) => {
    if (isHoldfastError(error, 'BytesMissing')) return undefined
    throw error
  })
  if (outcome?.rulesChanged) return undefined
  if (outcome?.packSequence != null) pack?.quarantine.published({ ...outcome, packSequence: outcome.packSequence })
  else await pack?.quarantine.discard()
  if (outcome?.newHead != null) request.progress(headSentence(repo.headTarget, outcome.newHead))
  if (outcome !== undefined) return outcome.results
  if (pack !== undefined) request.progress(await explainMissing(push, commands, pack))
  return failAll(commands, 'Git LFS files are missing')
}

function headSentence(before: string, now: string): string {
  const [oldBranch, newBranch] = [before, now].map((name) =>
    Buffer.from(name, 'latin1').toString().slice('refs/heads/'.length),
  )
  return `The default branch is now '${newBranch}', since there is no '${oldBranch}'.\n`
}

function pushedPack({ principal, options }: Push, { quarantine, content }: Arrived): PushedPack {
  return {
    row: quarantine.row,
    claims: [...content.pointers.values()],
    isAdmin: principal.kind === 'user' && principal.isAdmin,
    allowMissingLfs: options.allowMissingLfs === true,
  }
}

async function explainMissing(push: Push, commands: readonly CheckedCommand[], { quarantine, content }: Arrived) {
  const { hub, repo, principal } = push
  const pointers = [...content.pointers.values()]
  const missing = await findMissingLfs(hub.database, { repo, principal, pointers })
  return await explainMissingLfs(quarantine.objects, tipsOf(commands), content, missing)
}

/** The objects that the commands point refs to. */
export function tipsOf(commands: readonly RefCommand[]): ObjectId[] {
  return commands.flatMap(({ newId }) => (newId === undefined ? [] : [newId]))
}

/** The same reason for all. */
export function failAll(commands: readonly RefCommand[], reason: string): RefResult[] {
  return commands.map(({ name }) => ({ name, reason }))
}
