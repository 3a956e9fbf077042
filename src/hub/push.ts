/**
 * A push: the only way in which a ref moves (design law 2). Checked in quarantine, brought to the bucket, then one
 * transaction: refs by compare-and-swap, the pack's row, LFS grants and notes for the background, together or not at all.
 */

import { enqueueJob } from '../database/jobs.ts'
import type { Queryable } from '../database/queryable.ts'
import { applyRefCommands } from '../database/refs.ts'
import { HoldfastError, isHoldfastError } from '../errors.ts'
import type { PushHost, PushReport, PushRequest } from '../git/host.ts'
import type { ByteStream, ObjectId } from '../git/object-id.ts'
import { receivePack } from '../git/protocol/receive-pack.ts'
import type { RefCommand, RefResult } from '../git/repository.ts'
import type { QuarantinedPack } from '../repository/quarantine.ts'
import type { Hub } from './hub.ts'
import { findMissingLfs, grantLfs } from './lfs-presence.ts'
import { proveUploads } from './lfs-transfer.ts'
import type { Principal } from './principal.ts'
import { explainMissingLfs, explainOversize, type PushContent, watchContent } from './push-content.ts'
import { type CheckedCommand, checkTargets, refuseByName } from './push-rules.ts'
import type { Repo } from './repo.ts'

export interface PushOptions {
  /** Takes pointers whose content nobody has: for importing histories that hold pointers as fixtures. */
  allowMissingLfs?: boolean
}

/** What stays the same throughout one push. */
interface Push {
  hub: Hub
  principal: Principal
  repo: Repo
  options: PushOptions
  request: PushRequest
}

/** The answer to one request of `git-receive-pack`. Access (write) has been decided. `signal` fires when the client has gone. */
export function push(
  hub: Hub,
  principal: Principal,
  repo: Repo,
  request: ByteStream,
  { signal }: { signal: AbortSignal },
): ByteStream {
  return receivePack(pushHost(hub, principal, repo), request, { signal, limits: hub.config.limits })
}

/** The repository as the protocol's push side sees it. */
export function pushHost(hub: Hub, principal: Principal, repo: Repo, options: PushOptions = {}): PushHost {
  return {
    refs: () => hub.repositories.refs(repo),
    push: (request) => takePush({ hub, principal, repo, options, request }),
  }
}

async function takePush(push: Push): Promise<PushReport> {
  const { commands, atomic } = push.request
  const refused = commands.flatMap(({ name, newId, oldId }) => {
    const reason = refuseByName(push.repo, { name, newId, oldId })
    return reason === undefined ? [] : [{ name, reason }]
  })
  const left = without(commands, refused)
  if (left.length === 0 || (atomic && refused.length > 0)) return report(commands, refused)
  if (push.request.pack === undefined) return report(commands, [...refused, ...(await decide(push, left, undefined))])

  const watched = watchContent(push.hub.config.limits)
  let quarantine: QuarantinedPack
  try {
    quarantine = await receive(push, push.request.pack, watched.visit)
  } catch (error) {
    return refuseWhole(commands, error)
  }
  try {
    const results = await decide(push, left, { quarantine, content: watched.content })
    return report(commands, [...refused, ...results])
  } finally {
    quarantine.release()
  }
}

function receive(
  push: Push,
  pack: ByteStream,
  visit: ReturnType<typeof watchContent>['visit'],
): Promise<QuarantinedPack> {
  const { request, hub, repo } = push
  return hub.repositories.receivePack(repo, pack, {
    visit,
    signal: request.signal,
    onProgress: (phase, done, total) => request.progress(`${phase}: ${done}/${total}\r`),
  })
}

/** A damaged pack is the client's to hear of; everything else is a defect or a client that left. */
function refuseWhole(commands: readonly RefCommand[], error: unknown): PushReport {
  const isClients = (
    ['PackInvalid', 'ObjectInvalid', 'ObjectMissing', 'InputTooLarge', 'InputTruncated'] as const
  ).some((code) => isHoldfastError(error, code))
  if (!isClients) throw error
  const unpack = (error as HoldfastError).message
  return { unpack, results: commands.map(({ name }) => ({ name, reason: 'unpacker error' })) }
}

interface Arrived {
  quarantine: QuarantinedPack
  content: PushContent
}

/** Everything after the pack has come: the results of `commands`, in any order. */
async function decide(push: Push, commands: readonly RefCommand[], arrived: Arrived | undefined): Promise<RefResult[]> {
  const { request, hub } = push
  const { gitTagDepthMax } = hub.config.limits
  const { checked, refused } = checkTargets(arrived?.quarantine.objects, commands, gitTagDepthMax)
  if (checked.length === 0) return refused
  if (request.atomic && refused.length > 0) return [...refused, ...failAll(checked, 'atomic push failure')]
  const objection = arrived === undefined ? undefined : await findObjection(push, checked, arrived)
  if (objection !== undefined) return [...refused, ...failAll(checked, objection)]

  const pack = arrived !== undefined && arrived.quarantine.received.objectCount > 0 ? arrived : undefined
  if (pack !== undefined) {
    await pack.quarantine.upload(request.signal)
    await proveUploads(push.hub, push.repo, push.principal, [...pack.content.pointers.keys()])
  }
  request.signal.throwIfAborted()
  return [...refused, ...(await commit(push, checked, pack))]
}

/** What speaks against the pack's content, after telling the person about it. */
async function findObjection(
  push: Push,
  commands: readonly CheckedCommand[],
  { quarantine, content }: Arrived,
): Promise<string | undefined> {
  const { request, hub } = push
  const [missingId] = quarantine.missingIds(1)
  if (missingId !== undefined) {
    request.progress(`error: object ${missingId} is missing\n`)
    return 'missing necessary objects'
  }
  if (content.oversizeBlobs.length > 0) {
    const { gitBlobMaxBytes } = hub.config.limits
    request.progress(await explainOversize(quarantine.objects, tipsOf(commands), content, gitBlobMaxBytes))
    return 'a file is too large for Git: use Git LFS'
  }
  return undefined
}

/** The transaction. Its outcome is unknown if it throws: then the bytes stay for the sweep, in case it was committed. */
async function commit(
  push: Push,
  commands: readonly CheckedCommand[],
  pack: Arrived | undefined,
): Promise<RefResult[]> {
  const { hub, principal, repo, options, request } = push
  const oids = [...(pack?.content.pointers.keys() ?? [])]
  let missingOids: string[] = []
  const applied = await hub.database
    .transaction(async (tx) => {
      const outcome = await applyRefCommands(tx, {
        repoId: repo.id,
        actorId: principal.kind === 'user' ? principal.userId : undefined,
        commands,
        atomic: request.atomic,
      })
      if (!outcome.applied || pack === undefined) return outcome
      missingOids = await findMissingLfs(tx, { repo, principal, oids })
      if (missingOids.length > 0 && options.allowMissingLfs !== true) throw new HoldfastError('BytesMissing')
      await grantLfs(tx, { repo, oids: withoutOids(oids, missingOids) })
      await publish(tx, push, pack.quarantine)
      return outcome
    })
    .catch((error: unknown) => {
      if (isHoldfastError(error, 'BytesMissing')) return undefined
      throw error
    })
  if (applied?.applied !== true) await pack?.quarantine.discard()
  if (applied !== undefined) return applied.results
  if (pack !== undefined) {
    request.progress(await explainMissingLfs(pack.quarantine.objects, tipsOf(commands), pack.content, missingOids))
  }
  return failAll(commands, 'Git LFS files are missing')
}

async function publish(tx: Queryable, { hub, repo }: Push, quarantine: QuarantinedPack): Promise<void> {
  await quarantine.publish(tx)
  if (quarantine.packCount < hub.config.limits.compactionPacksMin) return
  await enqueueJob(tx, { name: 'compact', payload: { repoId: repo.id }, key: `compact:${repo.id}` })
}

function withoutOids(oids: readonly string[], missing: readonly string[]): string[] {
  const absent = new Set(missing)
  return oids.filter((oid) => !absent.has(oid))
}

function tipsOf(commands: readonly RefCommand[]): ObjectId[] {
  return commands.flatMap(({ newId }) => (newId === undefined ? [] : [newId]))
}

function without(commands: readonly RefCommand[], refused: readonly RefResult[]): RefCommand[] {
  const names = new Set(refused.map(({ name }) => name))
  return commands.filter(({ name }) => !names.has(name))
}

function failAll(commands: readonly RefCommand[], reason: string): RefResult[] {
  return commands.map(({ name }) => ({ name, reason }))
}

/** One result per command, in the order of the commands; those nobody decided on fell with an atomic push. */
function report(commands: readonly RefCommand[], decided: readonly RefResult[]): PushReport {
  const byName = new Map(decided.map((result) => [result.name, result]))
  const results = commands.map(({ name }) => byName.get(name) ?? { name, reason: 'atomic push failure' })
  return { unpack: 'ok', results }
}
