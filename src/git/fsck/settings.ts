/** What becomes of an object for each fault that it may have: refused, taken with a word, or taken. */
import { HoldfastError } from '../../errors.ts'
import { defaultLimits } from '../../limits.ts'
import { type ObjectId, parseObjectId } from '../object-id.ts'
import { type MessageId, messageIds, messageTypes } from './messages.ts'

export type Severity = 'error' | 'warn' | 'ignore'

/** A plain value, to be copied between threads. */
export interface FsckSettings {
  severities: Readonly<Record<MessageId, Severity>>
  /** Objects that are taken whatever is wrong with them. */
  skipIds: ReadonlySet<ObjectId>
  /** Longer names in trees are `largePathname`. */
  nameMaxBytes: number
}

/** As git's `receive.fsckObjects`. */
export const strictSettings: FsckSettings = {
  severities: Object.fromEntries(messageIds.map((id) => [id, strictSeverity(id)])) as Record<MessageId, Severity>,
  skipIds: new Set(),
  nameMaxBytes: defaultLimits.gitEntryNameMaxBytes,
}

function strictSeverity(id: MessageId): Severity {
  const type = messageTypes[id]
  if (type === 'info') return 'warn'
  return type === 'ignore' ? 'ignore' : 'error'
}

/**
 * For hosted repositories: as strict, but the oddities of real histories, which their owners cannot repair without
 * rewriting them, come in with a word.
 */
export const hostedSettings: FsckSettings = withSeverities(strictSettings, {
  badTimezone: 'warn',
  missingSpaceBeforeDate: 'warn',
  nulInCommit: 'warn',
  zeroPaddedDate: 'warn',
  zeroPaddedFilemode: 'warn',
})

/**
 * `settings` changed as `receive.fsck.<id>` does: ids in any case. Throws InputInvalid for an id or severity that there is
 * not, and for what cannot be demoted.
 */
export function withSeverities(settings: FsckSettings, changes: Readonly<Record<string, string>>): FsckSettings {
  const severities = { ...settings.severities }
  for (const [name, severity] of Object.entries(changes)) {
    const id = messageIds.find((candidate) => candidate.toLowerCase() === name.toLowerCase())
    if (id === undefined) throw invalid(`Unhandled message id: ${name}`)
    if (severity !== 'error' && severity !== 'warn' && severity !== 'ignore') {
      throw invalid(`Unknown fsck message type: '${severity}'`)
    }
    if (messageTypes[id] === 'fatal' && severity !== 'error') throw invalid(`Cannot demote ${id} to ${severity}`)
    severities[id] = severity
  }
  return { ...settings, severities }
}

/** The ids of a skip list (`receive.fsck.skipList`): one a line, `#` begins a comment. Throws InputInvalid. */
export function parseSkipList(text: string): Set<ObjectId> {
  const ids = new Set<ObjectId>()
  for (const line of text.split('\n')) {
    const entry = line.replace(/#.*/, '').trim()
    if (entry === '') continue
    const id = parseObjectId(entry)
    if (id === undefined) throw invalid(`Invalid object name: ${entry}`)
    ids.add(id)
  }
  return ids
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('InputInvalid', { message })
}
