/** Rules about what is in a pushed pack: blobs too large for Git, and LFS pointers whose bytes are not there. */
import type { Limits } from '../config.ts'
import { HoldfastError } from '../errors.ts'
import type { ObjectId } from '../git/object-id.ts'
import type { ReceivedObject } from '../git/pack/receive-pack-file.ts'
import type { ObjectDatabase } from '../git/repository.ts'
import { findPaths } from '../git/walk/find-paths.ts'
import { parsePointer } from '../lfs/pointer.ts'

/** What was noticed while the pack came in. */
export interface PushContent {
  /** The blob that holds a pointer, by the oid it names. */
  pointers: Map<string, ObjectId>
  /** The first of them, as many as a person is told. */
  oversizeBlobs: { id: ObjectId; sizeBytes: number }[]
  oversizeCount: number
}

// What a person reads in a terminal; the rest is counted.
const listedMax = 20

type ContentLimits = Pick<Limits, 'gitBlobMaxBytes' | 'pushPointersMax'>

/** Collects what the rules look at. Pass `visit` to the receiving of the pack; it throws InputTooLarge above a limit. */
export function watchContent(limits: ContentLimits): { content: PushContent; visit(object: ReceivedObject): void } {
  const content: PushContent = { pointers: new Map(), oversizeBlobs: [], oversizeCount: 0 }
  return {
    content,
    visit({ type, id, sizeBytes, data }) {
      if (type !== 'blob') return
      if (sizeBytes > limits.gitBlobMaxBytes) {
        content.oversizeCount++
        if (content.oversizeBlobs.length < listedMax) content.oversizeBlobs.push({ id, sizeBytes })
      }
      const pointer = data === undefined ? undefined : parsePointer(data)
      if (pointer === undefined) return
      content.pointers.set(pointer.lfsOid, id)
      if (content.pointers.size > limits.pushPointersMax) {
        throw new HoldfastError('InputTooLarge', {
          message: `A push may hold ${limits.pushPointersMax} Git LFS pointers. Push the history in parts.`,
        })
      }
    },
  }
}

/** Lines for the person who pushed blobs that are too large, with the remedy. */
export async function explainOversize(
  objects: ObjectDatabase,
  tips: readonly ObjectId[],
  { oversizeBlobs, oversizeCount }: PushContent,
  blobMaxBytes: number,
): Promise<string> {
  const paths = await findPaths(
    objects,
    tips,
    oversizeBlobs.map((blob) => blob.id),
  )
  return [
    `error: these files are larger than ${blobMaxBytes} bytes, the limit for files outside Git LFS:`,
    ...oversizeBlobs.map(({ id, sizeBytes }) => `  ${display(paths.get(id) ?? id)} (${sizeBytes} bytes)`),
    ...more(oversizeCount),
    'Track them with Git LFS, then rewrite the commits that hold them:',
    '  git lfs migrate import --include="<path>" --everything',
    '',
  ].join('\n')
}

/** Lines for the person who pushed pointers to content that is not here. */
export async function explainMissingLfs(
  objects: ObjectDatabase,
  tips: readonly ObjectId[],
  { pointers }: PushContent,
  missingOids: readonly string[],
): Promise<string> {
  const listed = missingOids.slice(0, listedMax)
  const blobIds = listed.map((oid) => pointers.get(oid) as ObjectId)
  const paths = await findPaths(objects, tips, blobIds)
  const lines = listed.map((oid, index) => `  ${display(paths.get(blobIds[index]) ?? '(no path)')} (${oid})`)
  return [
    'error: these Git LFS files were not uploaded:',
    ...lines,
    ...more(missingOids.length),
    'Upload them, then push again:',
    '  git lfs push --all <remote>',
    '',
  ].join('\n')
}

function more(count: number): string[] {
  return count > listedMax ? [`  … and ${count - listedMax} more`] : []
}

/** Paths are bytes; nearly all are UTF-8. */
function display(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8')
}
