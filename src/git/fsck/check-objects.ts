/**
 * What may come in: every object that a push brings is checked as `git index-pack --strict` does. A fault is refused, told
 * or passed over as the settings say.
 */
import { HoldfastError } from '../../errors.ts'
import { idBytes, type ObjectId } from '../object-id.ts'
import type { ObjectType } from '../repository.ts'
import type { TreeCursor } from '../tree.ts'
import { checkCommit } from './commit.ts'
import type { MessageId, ReportFault } from './messages.ts'
import type { NamedFileIds } from './named-files.ts'
import type { FsckSettings } from './settings.ts'
import { checkTag } from './tag.ts'
import { checkTree, findEntryFaults, findTreeFaults, NamedFiles } from './tree.ts'

/** A plain value, to be copied between threads. */
export interface FsckFindings {
  /** The first of them, as many as a person reads. */
  warnings: string[]
  warningCount: number
  /** What is still to be looked at: `checkNamedFiles`. */
  named: NamedFileIds
}

// What a person reads in a terminal; the rest is counted.
const warningsMax = 20

export const noFindings: FsckFindings = {
  warnings: [],
  warningCount: 0,
  named: { modules: new Uint8Array(0), attributes: new Uint8Array(0) },
}

/** Checks objects one by one and keeps what is to be told of them. */
export class ObjectChecker {
  readonly #settings: FsckSettings
  readonly #named = new NamedFiles()
  readonly #warnings: string[] = []
  #warningCount = 0

  constructor(settings: FsckSettings) {
    this.#settings = settings
  }

  /** Blobs are always sound by themselves. Throws ObjectInvalid; `idOf` is asked where there is something to say. */
  check(type: Exclude<ObjectType, 'tree'>, data: Buffer, idOf: () => ObjectId): void {
    const report: ReportFault = (fault, text) => this.#take({ type, id: idOf(), fault, text })
    if (type === 'commit') checkCommit(data, report)
    else if (type === 'tag') checkTag(data, report)
  }

  /** As `check`; true where there was nothing to say, not even what the settings pass over. */
  checkTree(data: Buffer, idOf: () => ObjectId): boolean {
    const report: ReportFault = (fault, text) => this.#take({ type: 'tree', id: idOf(), fault, text })
    return checkTree(data, report, this.#named, this.#settings.nameMaxBytes)
  }

  /** What `checkTree` said, without saying it again. */
  isSoundTree(data: Buffer): boolean {
    return findTreeFaults(data, this.#named, this.#settings.nameMaxBytes) === 0
  }

  /** True where `checkTree` had nothing to say of the cursor's entry, its place among the others apart. */
  isSoundEntry(data: Buffer, cursor: TreeCursor): boolean {
    return findEntryFaults(data, cursor, this.#named, this.#settings.nameMaxBytes) === 0
  }

  /** Takes the faults of one object. They throw ObjectInvalid where they are errors. */
  reporterOf(type: ObjectType, id: ObjectId): ReportFault {
    return (fault, text) => this.#take({ type, id, fault, text })
  }

  findings(): FsckFindings {
    const { modules, attributes } = this.#named
    return {
      warnings: this.#warnings,
      warningCount: this.#warningCount,
      named: {
        modules: new Uint8Array(modules.ids.subarray(0, modules.size * idBytes)),
        attributes: new Uint8Array(attributes.ids.subarray(0, attributes.size * idBytes)),
      },
    }
  }

  #take({ type, id, fault, text }: { type: ObjectType; id: ObjectId; fault: MessageId; text: string }): true {
    const { severities, skipIds } = this.#settings
    const severity = severities[fault]
    if (severity === 'ignore' || skipIds.has(id)) return true
    const message = `${type} ${id}: ${fault}: ${text}`
    if (severity === 'error') throw new HoldfastError('ObjectInvalid', { message })
    if (this.#warningCount++ < warningsMax) this.#warnings.push(message)
    return true
  }
}

/** The first fault for which the settings refuse an object by itself, as git's message id and its words. */
export function findFault(type: ObjectType, data: Buffer, settings: FsckSettings): string | undefined {
  let found: string | undefined
  const report: ReportFault = (fault, text) => {
    if (settings.severities[fault] === 'error') found ??= `${fault}: ${text}`
    return found === undefined
  }
  if (type === 'tree') checkTree(data, report, new NamedFiles(), settings.nameMaxBytes)
  else if (type === 'commit') checkCommit(data, report)
  else if (type === 'tag') checkTag(data, report)
  return found
}
