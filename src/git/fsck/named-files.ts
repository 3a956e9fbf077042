/**
 * The content of the files that Git obeys. Asked once all objects of a push are there: a file may come before the tree that
 * names it, or have been here before.
 */
import { fairLoop } from '../fair-loop.ts'
import { idBytes, type ObjectId, objectIdAt } from '../object-id.ts'
import type { ObjectDatabase, ObjectType } from '../repository.ts'
import { checkGitmodules } from './gitmodules.ts'
import type { MessageId, ReportFault } from './messages.ts'

/** Ids, 20 bytes each, of what trees of a push name `.gitmodules` and `.gitattributes`, and that is no symbolic link. */
export interface NamedFileIds {
  modules: Uint8Array
  attributes: Uint8Array
}

// git's ATTR_MAX_LINE_LENGTH.
const attributesLineMaxBytes = 2048

// Thousands of submodules: a longer file would hold up the event loop while it is parsed.
const modulesMaxBytes = 1024 * 1024

interface Kind {
  name: string
  missing: MessageId
  notBlob: MessageId
  large: MessageId
  /** What is longer is not parsed. */
  maxBytes: number
  check(data: Buffer, report: ReportFault): void
}

const modules: Kind = {
  name: '.gitmodules',
  missing: 'gitmodulesMissing',
  notBlob: 'gitmodulesBlob',
  large: 'gitmodulesLarge',
  maxBytes: modulesMaxBytes,
  check: checkGitmodules,
}

const attributes: Kind = {
  name: '.gitattributes',
  missing: 'gitattributesMissing',
  notBlob: 'gitattributesBlob',
  large: 'gitattributesLarge',
  maxBytes: Number.POSITIVE_INFINITY,
  check: checkGitattributes,
}

/** Checks them all; `reporterOf` is asked for each object. What is larger than `heldMaxBytes` is not read. */
export async function checkNamedFiles(
  objects: ObjectDatabase,
  named: NamedFileIds,
  { reporterOf, heldMaxBytes }: { reporterOf(type: ObjectType, id: ObjectId): ReportFault; heldMaxBytes: number },
): Promise<void> {
  const pause = fairLoop()
  for (const [kind, ids] of [[modules, named.modules] as const, [attributes, named.attributes] as const]) {
    for (let at = 0; at < ids.length; at += idBytes) {
      const report = reporterOf('blob', objectIdAt(ids, at))
      checkFile(objects, objects.locate(ids, at), { kind, report, heldMaxBytes })
      // One file may take a slice by itself.
      if (pause.due(64)) await pause.now()
    }
  }
}

function checkFile(
  objects: ObjectDatabase,
  ordinal: number,
  { kind, report, heldMaxBytes }: { kind: Kind; report: ReportFault; heldMaxBytes: number },
): void {
  if (ordinal < 0) return void report(kind.missing, `unable to read ${kind.name} blob`)
  const { type, sizeBytes } = objects.stat(ordinal)
  if (type !== 'blob') return void report(kind.notBlob, `non-blob found at ${kind.name}`)
  if (sizeBytes > Math.min(heldMaxBytes, kind.maxBytes))
    return void report(kind.large, `${kind.name} too large to parse`)
  kind.check(objects.read(ordinal).data, report)
}

/** Longer lines have overflowed git's parser. */
function checkGitattributes(data: Buffer, report: ReportFault): void {
  const nul = data.indexOf(0)
  const length = nul < 0 ? data.length : nul
  for (let at = 0; at < length; ) {
    const found = data.indexOf(10, at)
    const end = found < 0 ? length : Math.min(found, length)
    if (end - at >= attributesLineMaxBytes) {
      report('gitattributesLineLength', '.gitattributes has too long lines to parse')
      return
    }
    at = end + 1
  }
}
