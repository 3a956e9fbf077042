/**
 * What git's upload-pack and receive-pack do, over an open repository: whole conversations on a connection that keeps its
 * state, and single requests. Each service is loaded when it is first asked for, since a process often serves one.
 */
import { isHoldfastError } from '../errors.ts'
import type { ByteStream } from '../git/object-id.ts'
import type { GitService } from '../git/protocol/capabilities.ts'
import { errorPacket } from '../git/protocol/pkt-line.ts'
import { parseProtocolVersion } from '../git/protocol/protocol-version.ts'
import { type BareRepository, openBareRepository } from './bare-repository.ts'
import { localLimits } from './limits.ts'

export interface ServiceRequest {
  service: GitService
  /** As GIT_PROTOCOL or the Git-Protocol header has it. */
  protocol: string | string[] | undefined
  /** Each request stands alone, and begins without an advertisement. */
  isStateless: boolean
  /** Fires when the client has gone. */
  signal: AbortSignal
  /** What the client calls the repository: nonces of signed pushes are good for this name alone. */
  directory: string
}

/** The refs and capabilities; over HTTP with the line that names the service. */
export async function* advertiseService(
  repository: BareRepository,
  request: ServiceRequest,
  { smartHttp }: { smartHttp: boolean },
): AsyncGenerator<Uint8Array> {
  const { advertiseRefs } = await import('../git/protocol/advertise-refs.ts')
  const { service } = request
  yield* advertiseRefs(await hostOf(repository, request), { service, version: versionOf(request), smartHttp })
}

/** The answer to what the client sends. */
export async function* answerService(
  repository: BareRepository,
  request: ServiceRequest,
  input: ByteStream,
): AsyncGenerator<Uint8Array> {
  const { isStateless, signal } = request
  const options = { limits: localLimits, signal, isStateful: !isStateless }
  if (request.service === 'git-upload-pack') {
    const { uploadPack } = await import('../git/protocol/upload-pack.ts')
    const host = await fetchHostOf(repository, request)
    yield* uploadPack(host, input, { ...options, version: versionOf(request) })
  } else {
    const { receivePack } = await import('../git/protocol/receive-pack.ts')
    yield* receivePack(await pushHostOf(repository, request), input, options)
  }
}

export interface Conversation extends Omit<ServiceRequest, 'service'> {
  service: GitService
  /** Only the directory itself is opened. */
  isExact: boolean
  isAdvertisementOnly: boolean
}

/**
 * A conversation from its beginning, the repository opened and closed. Throws where it cannot be opened, having told a
 * client that is listening already, except of a directory that holds no repository.
 */
export async function* converse(conversation: Conversation, input: ByteStream): AsyncGenerator<Uint8Array> {
  const { directory, isExact, isStateless, isAdvertisementOnly } = conversation
  let repository: BareRepository
  try {
    repository = await openBareRepository(directory, { isExact, isOwnedOnly: true })
  } catch (error) {
    if (isHoldfastError(error) && error.code !== 'RepoNotFound') yield errorPacket(error.message)
    throw error
  }
  try {
    if (isAdvertisementOnly || !isStateless) yield* advertiseService(repository, conversation, { smartHttp: false })
    if (!isAdvertisementOnly) yield* answerService(repository, conversation, input)
  } finally {
    repository.close()
  }
}

function hostOf(repository: BareRepository, request: ServiceRequest) {
  return request.service === 'git-upload-pack' ? fetchHostOf(repository, request) : pushHostOf(repository, request)
}

async function fetchHostOf(repository: BareRepository, request: ServiceRequest) {
  const { bareFetchHost } = await import('./fetch.ts')
  return bareFetchHost(repository, { version: versionOf(request), isStateless: request.isStateless })
}

async function pushHostOf(repository: BareRepository, { directory }: ServiceRequest) {
  const { barePushHost } = await import('./push.ts')
  return barePushHost(repository, { limits: localLimits, directory })
}

function versionOf({ protocol }: ServiceRequest) {
  return parseProtocolVersion(protocol)
}
