/**
 * Whether everything that new tips lead to is there. A repository on disk may be shallow, partial or broken, and may hold
 * garbage that lacks half of itself: so it is a walk (git's `rev-list --objects <new> --not --all`), which ends at what
 * existing refs lead to.
 */
import { HoldfastError, isHoldfastError } from '../errors.ts'
import { idBytes, type ObjectId, objectIdBytes } from '../git/object-id.ts'
import { PackIndex } from '../git/pack/pack-index.ts'
import type { ReceivedPack } from '../git/pack/receive-pack-file.ts'
import { locateId, type ObjectDatabase, type Ordinal } from '../git/repository.ts'
import { findNonAncestors } from '../git/walk/ancestry.ts'
import { CommitGraph, peel } from '../git/walk/commit-graph.ts'
import { selectObjects } from '../git/walk/select-objects.ts'

export interface ConnectivityQuestion {
  objects: ObjectDatabase
  tips: readonly ObjectId[]
  /** What refs point to now. */
  existingTips: readonly ObjectId[]
  /** The pack that came with the tips: its objects were read, and what they refer to elsewhere is listed. */
  received: Pick<ReceivedPack, 'index' | 'outsideIds'> | undefined
  signal: AbortSignal
}

/** Why the tips are not connected, in a sentence; undefined where they are. */
export async function findDisconnection(question: ConnectivityQuestion): Promise<string | undefined> {
  const { objects, tips, received, signal } = question
  if (received !== undefined && isComplete(received, tips)) return undefined
  try {
    const wants = tips.map((id) => locateOrThrow(objects, id))
    const haves = await findKnownCommits(question)
    await selectObjects(objects, { wants, haves, signal })
    return undefined
  } catch (error) {
    if (isHoldfastError(error, 'ObjectMissing') || isHoldfastError(error, 'ObjectInvalid')) return error.message
    throw error
  }
}

/** A whole history, as of a first push: what the pack holds refers to nothing else. */
function isComplete(
  { index, outsideIds }: Pick<ReceivedPack, 'index' | 'outsideIds'>,
  tips: readonly ObjectId[],
): boolean {
  if (outsideIds.length > 0) return false
  const pack = new PackIndex(index, { isChecked: true })
  return tips.every((id) => pack.find(objectIdBytes(id)) >= 0)
}

/** The commits next to the new ones that refs lead to: what lies behind them is not looked at. */
async function findKnownCommits(question: ConnectivityQuestion): Promise<Ordinal[]> {
  const { objects, tips, existingTips, received } = question
  const outsideIds = received?.outsideIds ?? Buffer.alloc(0)
  const near = new Set<Ordinal>()
  const addNear = (ordinal: Ordinal) => {
    const commit = ordinal < 0 ? -1 : peelToCommit(objects, ordinal)
    if (commit >= 0) near.add(commit)
  }
  for (const id of tips) addNear(locateId(objects, id))
  for (let at = 0; at < outsideIds.length; at += idBytes) addNear(objects.locate(outsideIds, at))
  const ordinals = existingTips.map((id) => locateId(objects, id))
  const existing = ordinals.filter((ordinal) => ordinal >= 0)
  // Most pushes go on from what some ref points to: then nothing need be walked.
  const direct = new Set(existing)
  const others = [...near].filter((commit) => !direct.has(commit))
  if (others.length === 0) return [...near]
  const roots = existing.map((ordinal) => peelToCommit(objects, ordinal)).filter((commit) => commit >= 0)
  const unreached = new Set(await ancestorsMissing(objects, others, roots))
  return [...near].filter((commit) => !unreached.has(commit))
}

/** Where the existing history is broken nothing is known of the rest: then it is walked. */
async function ancestorsMissing(objects: ObjectDatabase, targets: Ordinal[], tips: Ordinal[]): Promise<Ordinal[]> {
  try {
    return await findNonAncestors(new CommitGraph(objects), targets, tips)
  } catch (error) {
    if (!isHoldfastError(error, 'ObjectMissing')) throw error
    return targets
  }
}

/** -1 for what leads to no commit. */
function peelToCommit(objects: ObjectDatabase, ordinal: Ordinal): Ordinal {
  try {
    const target = peel(objects, ordinal)
    return objects.stat(target).type === 'commit' ? target : -1
  } catch (error) {
    if (isHoldfastError(error, 'ObjectMissing')) return -1
    throw error
  }
}

function locateOrThrow(objects: ObjectDatabase, id: ObjectId): Ordinal {
  const ordinal = locateId(objects, id)
  if (ordinal >= 0) return ordinal
  throw new HoldfastError('ObjectMissing', { message: `Object ${id} is missing.` })
}
