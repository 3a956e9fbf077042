/** What becomes of a push's commands once its pack has come, up to the transaction. */
import type { JobNote } from '../database/jobs.ts'
import { type RefRules, readRefRules } from '../database/ref-rules.ts'
import { HoldfastError } from '../errors.ts'
import type { ObjectId } from '../git/object-id.ts'
import type { RefCommand, RefResult } from '../git/repository.ts'
import { compactionJob, forcedCompactionJob } from './compact.ts'
import { abandonsCloned } from './forced-moves.ts'
import type { Hub } from './hub.ts'
import { proveUploads } from './lfs-transfer.ts'
import { explainOversize } from './push-content.ts'
import { judgeByRules } from './push-judgement.ts'
import { receivePushed } from './push-reception.ts'
import { type CheckedCommand, checkTargets } from './push-rules.ts'
import { type Arrived, commitPush, failAll, type Push, tipsOf } from './push-transaction.ts'
import type { Repo } from './repo.ts'
import { metadataJob } from './repo-metadata.ts'
import { findCutOff, findCuts, packFor, wholeIdsOf } from './shallow-push.ts'

/** The results of `commands`, in any order. */
export async function decide(
  push: Push,
  commands: readonly RefCommand[],
  arrived: Arrived | undefined,
): Promise<RefResult[]> {
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
  const kept = await receivePushed(push, await packFor(objects, whole, { refs, signal: request.signal }))
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
        jobs: await findJobs(push, granted, arrived),
      },
      pack,
    )
    if (results !== undefined) return [...refused, ...results]
    rules = await readRefRules(hub.database, repo.id)
  }
  throw new HoldfastError('Conflict', { message: 'The rules of this repository are changing. Push again.' })
}

/** What is due once the commands are done. */
async function findJobs(
  { hub, repo }: Push,
  granted: readonly CheckedCommand[],
  arrived: Arrived | undefined,
): Promise<JobNote[]> {
  const jobs = (await mayMoveHead(hub, repo, granted)) ? [metadataJob(repo.id)] : []
  if (arrived?.quarantine.isCompactionDue) return [...jobs, compactionJob(repo.id)]
  const isForced = await abandonsCloned(arrived?.quarantine.objects, granted)
  return isForced ? [...jobs, forcedCompactionJob(repo.id, repo.clonePackBytes)] : jobs
}

/** Whether HEAD may stand for another commit afterwards: one that stands for none follows the first branch that comes. */
async function mayMoveHead(hub: Hub, repo: Repo, granted: readonly CheckedCommand[]): Promise<boolean> {
  if (granted.some(({ name }) => name === repo.headTarget)) return true
  const isNew = granted.some(({ name, oldId }) => oldId === undefined && name.startsWith('refs/heads/'))
  return isNew && (await hub.repositories.refs(repo)).headId === undefined
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

/** The commands that were not refused. */
export function without(commands: readonly RefCommand[], refused: readonly RefResult[]): RefCommand[] {
  const names = new Set(refused.map(({ name }) => name))
  return commands.filter(({ name }) => !names.has(name))
}
