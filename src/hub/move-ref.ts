/** One ref moved for the API, by the one way in which refs move (push.ts), with refusals as errors that people read. */
import { oneChunk } from '../bucket/streams.ts'
import { type ErrorCode, HoldfastError, isHoldfastError } from '../errors.ts'
import type { ByteStream } from '../git/object-id.ts'
import { formatFreshPack } from '../git/pack/fresh-pack.ts'
import type { RefCommand } from '../git/repository.ts'
import type { Hub } from './hub.ts'
import type { Principal } from './principal.ts'
import { pushHost } from './push.ts'
import type { PushOptions } from './push-transaction.ts'
import type { Repo } from './repo.ts'

export interface RefMovement {
  command: RefCommand
  /** What the command needs and the repository lacks; absent where it lacks nothing. */
  pack?: ByteStream
  options?: PushOptions
  signal: AbortSignal
}

/**
 * Moves a ref, or makes or deletes it. False where it is not where `oldId` says, or the request behind it has been answered
 * meanwhile: nothing has changed then. Throws AccessDenied where a rule speaks against it, InputInvalid where another ref
 * stands in its way, LfsMissing where LFS content is missing, InputTooLarge for too large a file, and what the pack's own
 * checks throw.
 */
export async function moveRef(
  hub: Hub,
  principal: Principal,
  repo: Repo,
  { command, pack, options, signal }: RefMovement,
): Promise<boolean> {
  const told: string[] = []
  const needsPack = command.newId !== undefined
  try {
    const report = await pushHost(hub, principal, repo, options).push({
      commands: [command],
      atomic: false,
      pushOptions: [],
      pack: needsPack ? (pack ?? oneChunk(formatFreshPack([]))) : undefined,
      progress: (text) => void told.push(text),
      signal,
    })
    if (report.cause !== undefined) throw report.cause
    const reason = report.results[0].reason
    if (reason === undefined) return true
    if (reason === 'fetch first') return false
    throw refusal(reason, told)
  } catch (error) {
    if (isHoldfastError(error, 'Conflict') && options?.answer !== undefined) return false
    throw error
  }
}

const codes: Record<string, ErrorCode> = {
  'Git LFS files are missing': 'LfsMissing',
  'a file is too large for Git: use Git LFS': 'InputTooLarge',
  'deletion of the current branch prohibited': 'AccessDenied',
  'protected branch hook declined': 'AccessDenied',
  'deletion prohibited': 'AccessDenied',
  'non-fast-forward': 'AccessDenied',
  'missing necessary objects': 'ObjectMissing',
  'ref name too long': 'InputInvalid',
}

/** What a client of git would read on its terminal. */
function refusal(reason: string, told: readonly string[]): HoldfastError {
  // No Conflict, by which clients are told that the ref they ask for exists.
  const code = codes[reason] ?? (reason.includes(' exists; cannot create ') ? 'InputInvalid' : 'AccessDenied')
  // Progress ends in carriage returns, and is over.
  const lines = told.filter((text) => !text.endsWith('\r')).join('')
  const explanation = lines.replaceAll(/^error: /gm, '').trim()
  return new HoldfastError(code, { message: explanation === '' ? `${reason}.` : explanation })
}
