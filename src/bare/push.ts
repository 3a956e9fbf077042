/**
 * A push into a repository on disk, in the order of git's receive-pack: objects into quarantine, connectivity, hidden refs,
 * pre-receive, objects into place, rules and update hook of each ref, the refs, post-receive and post-update.
 */
import { type ErrorCode, isHoldfastError } from '../errors.ts'
import type { PushHost, PushReport, PushRequest } from '../git/host.ts'
import type { RefSnapshot } from '../git/repository.ts'
import type { Limits } from '../limits.ts'
import type { BareRepository } from './bare-repository.ts'
import { withoutHidden } from './hidden-refs.ts'
import { type IncomingObjects, receiveObjects } from './incoming-objects.ts'
import { PushFates } from './push-fates.ts'
import { PushSteps } from './push-steps.ts'

/** The push side of a host, and the refs that it advertises. The repository stays the caller's to close. */
export function barePushHost(repository: BareRepository, limits: Limits): PushHost & { refs(): Promise<RefSnapshot> } {
  const { advertiseAtomic, advertisePushOptions, isHidden } = repository.settings.receive
  return {
    pushOffers: { atomic: advertiseAtomic, pushOptions: advertisePushOptions },
    refs: async () => withoutHidden(await repository.refs(), isHidden),
    push: (request) => takePush(repository, limits, request),
  }
}

const refusals: readonly ErrorCode[] = [
  'PackInvalid',
  'ObjectInvalid',
  'InputTooLarge',
  'InputTruncated',
  'StorageFull',
]

async function takePush(repository: BareRepository, limits: Limits, request: PushRequest): Promise<PushReport> {
  const fates = new PushFates(request.commands)
  let incoming: IncomingObjects | undefined
  try {
    incoming = await receive(repository, limits, request)
  } catch (error) {
    // A damaged pack, or no room for it, is the client's to hear of; everything else is a defect or a client that left.
    if (!isHoldfastError(error) || !refusals.includes(error.code)) throw error
    fates.refuseAll('unpacker error')
    return { unpack: error.message, cause: error, results: fates.results() }
  }
  try {
    await decide(new PushSteps(repository, request, fates, incoming), request)
  } finally {
    await incoming?.close()
  }
  return { unpack: 'ok', results: fates.results() }
}

async function receive(
  repository: BareRepository,
  limits: Limits,
  { pack, progress, signal }: PushRequest,
): Promise<IncomingObjects | undefined> {
  if (pack === undefined) return undefined
  const { maxInputBytes, unpackLimit } = repository.settings.receive
  return await receiveObjects(repository.objectsPath, pack, {
    existing: repository.objects,
    limits: { ...limits, gitPackMaxBytes: maxInputBytes ?? limits.gitPackMaxBytes },
    unpackLimit,
    onProgress: (phase, done, total) => progress(`${phase}: ${done}/${total}\r`),
    signal,
  })
}

async function decide(steps: PushSteps, { atomic }: PushRequest): Promise<void> {
  await steps.checkConnectivity()
  steps.refuseHidden()
  if (!(await steps.runPreReceive()) || !(await steps.migrate())) return
  steps.refuseAliases()
  if (atomic) await steps.moveTogether()
  else await steps.moveEach()
  await steps.runPostHooks()
}
