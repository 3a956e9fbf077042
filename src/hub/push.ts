/**
 * A push: the only way in which a ref moves (design law 2). Checked in quarantine, brought to the bucket, then committed
 * in one transaction (push-transaction.ts).
 */
import { type RefRules, readRefRules } from '../database/ref-rules.ts'
import { type ErrorCode, HoldfastError, isHoldfastError } from '../errors.ts'
import { explainFindings } from '../git/fsck/complete-findings.ts'
import { hostedSettings } from '../git/fsck/settings.ts'
import type { PushHost, PushReport } from '../git/host.ts'
import type { ByteStream, ObjectId } from '../git/object-id.ts'
import { receivePack } from '../git/protocol/receive-pack.ts'
import type { RefCommand, RefResult } from '../git/repository.ts'
import { abandonsCloned } from './forced-moves.ts'
import type { Hub } from './hub.ts'
import { proveUploads } from './lfs-transfer.ts'
import type { Principal } from './principal.ts'
import { blobsToNote, explainOversize, readContent } from './push-content.ts'
import { judgeByRules } from './push-judgement.ts'
import { type CheckedCommand, checkTargets, refuseByName } from './push-rules.ts'
import { type Arrived, commitPush, failAll, type Push, type PushOptions, tipsOf } from './push-transaction.ts'
import type { Repo } from './repo.ts'
import { findCutOff, findCuts, packFor, wholeIdsOf } from './shallow-push.ts'

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
  return { push: (request) => takePush({ hub, principal, repo, options, request }) }
}

async function takePush(push: Push): Promise<PushReport> {
  const { commands, atomic } = push.request
  const refused = commands.flatMap((command) => {
    const reason = refuseByName(command)
    return reason === undefined ? [] : [{ name: command.name, reason }]
  })
  const left = without(commands, refused)
  warnOfDeletions(push)
  if (left.length === 0 || (atomic && refused.length > 0)) return report(commands, refused)
  if (push.request.pack === undefined) return report(commands, [...refused, ...(await decide(push, left, undefined))])

  let arrived: Arrived
  try {
    arrived = await receive(push, push.request.pack)
  } catch (error) {
    return refuseWhole(push, error)
  }
  try {
    const results = await decide(push, left, arrived)
    return report(commands, [...refused, ...results])
  } finally {
    arrived.quarantine.release()
  }
}

async function receive({ request, hub, repo }: Push, pack: ByteStream): Promise<Arrived> {
  const { limits } = hub.config
  const quarantine = await hub.repositories.receivePack(repo, pack, {
    toNote: blobsToNote(limits),
    fsck: { ...hostedSettings, nameMaxBytes: limits.gitEntryNameMaxBytes },
    signal: request.signal,
    onProgress: (phase, done, total) => request.progress(`${phase}: ${done}/${total}\r`),
  })
  if (quarantine.findings.warningCount > 0) request.progress(explainFindings(quarantine.findings))
  try {
    return { quarantine, content: await readContent(quarantine.noted, limits) }
  } catch (error) {
    quarantine.release()
    throw error
  }
}

const refusals: readonly ErrorCode[] = [
  'PackInvalid',
  'ObjectInvalid',
  'ObjectMissing',
  'InputTooLarge',
  'InputTruncated',
  'StorageFull',
]

/** A damaged pack, or no room for it, is the client's to hear of; everything else is a defect or a client that left. */
function refuseWhole({ hub, repo, request }: Push, error: unknown): PushReport {
  if (!isHoldfastError(error) || !refusals.includes(error.code)) throw error
  if (error.code === 'StorageFull') hub.logger.warn({ repoId: repo.id, reason: error.message }, 'refused a push')
  const results = request.commands.map(({ name }) => ({ name, reason: 'unpacker error' }))
  return { unpack: error.message, cause: error, results }
}

/** Everything after the pack has come: the results of `commands`, in any order. */
async function decide(push: Push, commands: readonly RefCommand[], arrived: Arrived | undefined): Promise<RefResult[]> {
  const { request, hub } = push
  const { gitTagDepthMax } = hub.config.limits
  const { checked, refused } = checkTargets(arrived?.quarantine.objects, commands, gitTagDepthMax)
  if (checked.length === 0) return refused
  if (request.atomic && refused.length > 0) return [...refused, ...failAll(checked, 'atomic push failure')]
  if (arrived === undefined) return [...refused, ...(await commitByRules(push, checked, arrived))]
  const missingIds = arrived.quarantine.missingIds(request.shallowIds?.length ? Number.POSITIVE_INFINITY : 1)
  if (missingIds.length > 0) return [...refused, ...(await decideIncomplete(push, checked, { arrived, missingIds }))]
  const objection = await findObjection(push, checked, arrived)
  if (objection !== undefined) return [...refused, ...failAll(checked, objection)]
  return [...refused, ...(await commitByRules(push, checked, arrived))]
}

/** A pack that leads to what is nowhere: all is refused, but for what a shallow clone pushes beside its cut history. */
async function decideIncomplete(
  push: Push,
  commands: readonly CheckedCommand[],
  { arrived, missingIds }: { arrived: Arrived; missingIds: readonly ObjectId[] },
): Promise<RefResult[]> {
  const { request, hub, repo } = push
  const { objects } = arrived.quarantine
  const cuts = findCuts(objects, request.shallowIds ?? [], missingIds)
  if (cuts === undefined) {
    request.progress(`error: object ${missingIds[0]} is missing\n`)
    return failAll(commands, 'missing necessary objects')
  }
  const refs = await hub.repositories.refs(repo)
  const wholeIds = wholeIdsOf(refs, arrived.quarantine.received.outsideIds)
  const cutOff = await findCutOff(objects, commands, { cuts, wholeIds })
  const refused = failAll(cutOff, 'shallow update not allowed')
  const whole = without(commands, refused)
  if (whole.length === 0 || request.atomic) return [...refused, ...failAll(whole, 'atomic push failure')]
  const kept = await receive(push, await packFor(objects, whole, { refs, signal: request.signal }))
  try {
    return [...refused, ...(await decide(push, whole, kept))]
  } finally {
    kept.quarantine.release()
  }
}

// Rules change by hand: more often than this within one push, somebody is to try again.
const rulesReadMax = 3

/** Commits what the repository's rules grant; judged again where they have changed before the transaction held the row. */
async function commitByRules(
  push: Push,
  checked: readonly CheckedCommand[],
  arrived: Arrived | undefined,
): Promise<RefResult[]> {
  const { hub, repo, request } = push
  const pack = arrived !== undefined && arrived.quarantine.received.objectCount > 0 ? arrived : undefined
  let isStored = false
  let rules: RefRules | undefined = repo
  for (let read = 0; read < rulesReadMax && rules !== undefined; read++) {
    const { granted, refused } = await judgeByRules(push, checked, {
      rules: rules.refRules,
      objects: arrived?.quarantine.objects,
    })
    const isFutile = granted.length === 0 || (request.atomic && refused.length > 0)
    if (isFutile) {
      if (isStored) await pack?.quarantine.discard()
      return [...refused, ...failAll(granted, 'atomic push failure')]
    }
    if (pack !== undefined && !isStored) await storePack(push, pack)
    isStored = true
    request.signal.throwIfAborted()
    const results = await commitPush(
      push,
      {
        commands: granted,
        rulesVersion: rules.refRulesVersion,
        isCompactionDue:
          pack?.quarantine.isCompactionDue === true || (await abandonsCloned(arrived?.quarantine.objects, granted)),
      },
      pack,
    )
    if (results !== undefined) return [...refused, ...results]
    rules = await readRefRules(hub.database, repo.id)
  }
  throw new HoldfastError('Conflict', { message: 'The rules of this repository are changing. Push again.' })
}

/** As git says it, and grants it all the same. */
function warnOfDeletions({ request }: Push): void {
  for (const { name, oldId, newId } of request.commands) {
    if (oldId !== undefined || newId !== undefined) continue
    request.progress(`warning: deleting a non-existent ref: ${Buffer.from(name, 'latin1')}\n`)
  }
}

/** Brings the pack's bytes to the bucket, and notes what of its LFS objects the pusher has just uploaded. */
async function storePack({ hub, repo, principal, request }: Push, { quarantine, content }: Arrived): Promise<void> {
  await quarantine.upload(request.signal)
  const oids = new Set(Array.from(content.pointers.values(), ({ lfsOid }) => lfsOid))
  await proveUploads(hub, repo, principal, [...oids])
}

/** What speaks against the pack's content, after telling the person about it. */
async function findObjection(
  push: Push,
  commands: readonly CheckedCommand[],
  { quarantine, content }: Arrived,
): Promise<string | undefined> {
  const { request, hub } = push
  if (content.oversizeBlobs.length > 0) {
    const { gitBlobMaxBytes } = hub.config.limits
    request.progress(await explainOversize(quarantine.objects, tipsOf(commands), content, gitBlobMaxBytes))
    return 'a file is too large for Git: use Git LFS'
  }
  return undefined
}

function without(commands: readonly RefCommand[], refused: readonly RefResult[]): RefCommand[] {
  const names = new Set(refused.map(({ name }) => name))
  return commands.filter(({ name }) => !names.has(name))
}

/** One result per command, in the order of the commands; those nobody decided on fell with an atomic push. */
function report(commands: readonly RefCommand[], decided: readonly RefResult[]): PushReport {
  const byName = new Map(decided.map((result) => [result.name, result]))
  const results = commands.map(({ name }) => byName.get(name) ?? { name, reason: 'atomic push failure' })
  return { unpack: 'ok', results }
}
