/** A push's pack on its way in: received into quarantine, with what the rules look at. */
import { type ErrorCode, isHoldfastError } from '../errors.ts'
import { explainFindings } from '../git/fsck/complete-findings.ts'
import { hostedSettings } from '../git/fsck/settings.ts'
import type { PushReport } from '../git/host.ts'
import type { ByteStream } from '../git/object-id.ts'
import { blobsToNote, readContent } from './push-content.ts'
import type { Arrived, Push } from './push-transaction.ts'

/** Whoever has it releases the quarantine. Throws what `refuseWhole` is for. */
export async function receivePushed({ request, hub, repo }: Push, pack: ByteStream): Promise<Arrived> {
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
export function refuseWhole({ hub, repo, request }: Push, error: unknown): PushReport {
  if (!isHoldfastError(error) || !refusals.includes(error.code)) throw error
  if (error.code === 'StorageFull') hub.logger.warn({ repoId: repo.id, reason: error.message }, 'refused a push')
  const results = request.commands.map(({ name }) => ({ name, reason: 'unpacker error' }))
  return { unpack: error.message, cause: error, results }
}
