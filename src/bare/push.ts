/**
 * A push into a repository on disk, in the order of git's receive-pack: objects into quarantine, connectivity, hidden refs,
 * pre-receive, objects into place, rules and update hook of each ref, the refs, post-receive and post-update.
 */
import { type ErrorCode, isHoldfastError } from '../errors.ts'
import type { FetchHost, PushHost, PushReport, PushRequest } from '../git/host.ts'
import { formatPushNonce, type NonceKey } from '../git/protocol/push-nonce.ts'
import type { Limits } from '../limits.ts'
import type { BareRepository } from './bare-repository.ts'
import { readFsckSettings } from './fsck-settings.ts'
import { withoutHidden } from './hidden-refs.ts'
import { type IncomingObjects, receiveObjects } from './incoming-objects.ts'
import { type ExpectedNonce, keepCertificate } from './push-certificate.ts'
import { PushFates } from './push-fates.ts'
import { PushSteps } from './push-steps.ts'

export interface BarePushOptions {
  limits: Limits
  /** What the client calls the repository: nonces of signed pushes are good for this name alone. */
  directory: string
}

/** The push side of a host, and the refs that it advertises. The repository stays the caller's to close. */
export function barePushHost(
  repository: BareRepository,
  { limits, directory }: BarePushOptions,
): PushHost & Pick<FetchHost, 'refs' | 'shallowIds'> {
  const { advertiseAtomic, advertisePushOptions, isHidden, certNonceSeed } = repository.settings.receive
  const key =
    certNonceSeed === undefined ? undefined : { seed: Buffer.from(certNonceSeed, 'latin1'), repository: directory }
  let issued: string | undefined
  const issueNonce = (seed: NonceKey) => {
    issued = formatPushNonce(seed, Math.floor(Date.now() / 1000))
    return issued
  }
  return {
    shallowIds: repository.shallowIds,
    pushOffers: { atomic: advertiseAtomic, pushOptions: advertisePushOptions },
    pushNonce: key === undefined ? undefined : () => issueNonce(key),
    refs: async () => withoutHidden(await repository.refs(), isHidden),
    push: (request) => takePush({ repository, limits, request, nonce: key && { key, issued } }),
  }
}

interface BarePush {
  repository: BareRepository
  limits: Limits
  request: PushRequest
  nonce: ExpectedNonce | undefined
}

const refusals: readonly ErrorCode[] = [
  'PackInvalid',
  'ObjectInvalid',
  'InputTooLarge',
  'InputTruncated',
  'StorageFull',
]

async function takePush(push: BarePush): Promise<PushReport> {
  const { repository, request, nonce } = push
  const fates = new PushFates(request.commands)
  let incoming: IncomingObjects | undefined
  try {
    incoming = await receive(push)
  } catch (error) {
    // A damaged pack, or no room for it, is the client's to hear of; everything else is a defect or a client that left.
    if (!isHoldfastError(error) || !refusals.includes(error.code)) throw error
    fates.refuseAll('unpacker error')
    return { unpack: error.message, cause: error, results: fates.results() }
  }
  try {
    const certificate = await keepCertificate(repository, request.certificate, nonce)
    await decide(new PushSteps({ repository, request, fates, incoming, certificate }), request)
  } finally {
    await incoming?.close()
  }
  return { unpack: 'ok', results: fates.results() }
}

async function receive({ repository, limits, request }: BarePush): Promise<IncomingObjects | undefined> {
  const { pack, progress, signal } = request
  if (pack === undefined) return undefined
  const { maxInputBytes, unpackLimit } = repository.settings.receive
  return await receiveObjects(repository.objectsPath, pack, {
    existing: repository.objects,
    limits: { ...limits, gitPackMaxBytes: maxInputBytes ?? limits.gitPackMaxBytes },
    unpackLimit,
    fsck: readFsckSettings(repository, progress),
    print: progress,
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
