/** Rules about what is in a pushed pack: blobs too large for Git, and LFS pointers whose bytes are not there. */
import type { Limits } from '../config.ts'
import type { FalseLfsClaim, LfsClaim } from '../database/lfs-objects.ts'
import { HoldfastError } from '../errors.ts'
import { fairLoop } from '../git/fair-loop.ts'
import type { ObjectId } from '../git/object-id.ts'
import { type BlobsToNote, type NotedBlobs, smallBlobs } from '../git/pack/noted-blobs.ts'
import type { ObjectDatabase } from '../git/repository.ts'
import { findPaths } from '../git/walk/find-paths.ts'
import { type LfsPointer, parsePointer, pointerStart } from '../lfs/pointer.ts'

export interface PushedPointer extends LfsPointer {
  /** A blob that holds it. */
  blobId: ObjectId
}

/** What was noticed while the pack came in. */
export interface PushContent {
  /** By `pointerKey`. An oid comes with two sizes where one of them is wrong. */
  pointers: Map<string, PushedPointer>
  /** The first of them, as many as a person is told. */
  oversizeBlobs: { id: ObjectId; sizeBytes: number }[]
  oversizeCount: number
}

// What a person reads in a terminal; the rest is counted.
const listedMax = 20
const displayedMaxBytes = 1_000

type ContentLimits = Pick<Limits, 'gitBlobMaxBytes' | 'pushPointersMax'>

/** The same for the same oid and size. */
export function pointerKey({ lfsOid, sizeBytes }: LfsClaim): string {
  return `${lfsOid} ${sizeBytes}`
}

/** What the receiving of the pack is to take note of. */
export function blobsToNote(limits: ContentLimits): BlobsToNote {
  return {
    smallPrefix: pointerStart,
    smallMax: limits.pushPointersMax,
    largeAboveBytes: limits.gitBlobMaxBytes,
    largeMax: listedMax,
  }
}

/** What the rules look at. Throws InputTooLarge above a limit. */
export async function readContent(noted: NotedBlobs, limits: ContentLimits): Promise<PushContent> {
  if (noted.smallCount > limits.pushPointersMax) {
    throw new HoldfastError('InputTooLarge', {
      message: `A push may hold ${limits.pushPointersMax} Git LFS pointers. Push the history in parts.`,
    })
  }
  const pointers: PushContent['pointers'] = new Map()
  const pause = fairLoop()
  for (const { id, data } of smallBlobs(noted)) {
    if (pause.due()) await pause.now()
    const pointer = parsePointer(data)
    if (pointer !== undefined) pointers.set(pointerKey(pointer), { ...pointer, blobId: id })
  }
  return { pointers, oversizeBlobs: noted.large, oversizeCount: noted.largeCount }
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

/** Lines for the person who pushed pointers to content that is not here, or that has another size. */
export async function explainMissingLfs(
  objects: ObjectDatabase,
  tips: readonly ObjectId[],
  { pointers }: PushContent,
  missing: readonly FalseLfsClaim[],
): Promise<string> {
  const listed = missing.slice(0, listedMax)
  const blobIds = listed.map((claim) => (pointers.get(pointerKey(claim)) as PushedPointer).blobId)
  const paths = await findPaths(objects, tips, blobIds)
  const lines = listed.map(
    (claim, index) => `  ${display(paths.get(blobIds[index]) ?? '(no path)')} (${claim.lfsOid})${wrongSize(claim)}`,
  )
  return [
    'error: these Git LFS files were not uploaded:',
    ...lines,
    ...more(missing.length),
    'Upload them, then push again:',
    '  git lfs push --all <remote>',
    '',
  ].join('\n')
}

function wrongSize({ sizeBytes, heldBytes }: FalseLfsClaim): string {
  return heldBytes === undefined ? '' : `: has ${heldBytes} bytes, its pointer says ${sizeBytes}`
}

function more(count: number): string[] {
  return count > listedMax ? [`  … and ${count - listedMax} more`] : []
}

/** Paths are bytes; nearly all are UTF-8. Of a very long one the end says most. */
function display(path: string): string {
  const text = Buffer.from(path.slice(-displayedMaxBytes), 'latin1').toString('utf8')
  return path.length > displayedMaxBytes ? `…${text}` : text
}
