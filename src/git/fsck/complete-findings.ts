/** The last part of a push's check: what can be looked at only once all of its objects can be read. */
import type { ObjectDatabase } from '../repository.ts'
import { type FsckFindings, ObjectChecker } from './check-objects.ts'
import { checkNamedFiles } from './named-files.ts'
import type { FsckSettings } from './settings.ts'

/**
 * Reads the files that Git obeys from `objects`, the new ones among them, and adds what is to be told of them. Throws
 * ObjectInvalid. `heldMaxBytes`: larger ones are too large.
 */
export async function completeFindings(
  objects: ObjectDatabase,
  { warnings, warningCount, named }: FsckFindings,
  { settings, heldMaxBytes }: { settings: FsckSettings; heldMaxBytes: number },
): Promise<FsckFindings> {
  const checker = new ObjectChecker(settings)
  await checkNamedFiles(objects, named, { reporterOf: (type, id) => checker.reporterOf(type, id), heldMaxBytes })
  const added = checker.findings()
  return {
    warnings: [...warnings, ...added.warnings],
    warningCount: warningCount + added.warningCount,
    named,
  }
}

/** Lines for the person who pushed, as git words them. */
export function explainFindings({ warnings, warningCount }: FsckFindings): string {
  const lines = warnings.map((warning) => `warning: ${warning}\n`)
  const more = warningCount - warnings.length
  return lines.join('') + (more > 0 ? `warning: … and ${more} more\n` : '')
}
