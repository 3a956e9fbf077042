/**
 * What a partial clone leaves out (git-rev-list, `--filter`): every kind of filter as one value, since filters combine by
 * leaving out what any of them leaves out. What the client names itself is never left out.
 */
import type { ObjectType } from '../repository.ts'
import type { SparsePatterns } from './sparse-patterns.ts'

export interface ObjectFilter {
  /** Blobs of so many bytes and more are left out. */
  blobMaxBytes: number
  /** Trees and blobs so deep are left out; a commit's tree is at 0, what it lists at 1. */
  treeDepth: number
  /** Objects of other types are left out. */
  types: ReadonlySet<ObjectType>
  /** Blobs that some of these do not want are left out. */
  sparse: readonly SparsePatterns[]
}

const everyType: ReadonlySet<ObjectType> = new Set<ObjectType>(['commit', 'tree', 'blob', 'tag'])

/** Leaves nothing out. */
export const noFilter: ObjectFilter = {
  blobMaxBytes: Number.POSITIVE_INFINITY,
  treeDepth: Number.POSITIVE_INFINITY,
  types: everyType,
  sparse: [],
}

/** True where blobs are left out whatever they are. */
export function leavesOutBlobs({ blobMaxBytes, treeDepth, types }: ObjectFilter): boolean {
  return blobMaxBytes <= 0 || treeDepth <= 0 || !types.has('blob')
}

/** True where no tree has to be opened to know what is sent. */
export function leavesOutTrees(filter: ObjectFilter): boolean {
  return filter.treeDepth <= 0 || (!filter.types.has('tree') && leavesOutBlobs(filter))
}

/** True where it matters by which path an object is reached. */
export function isPlaced({ treeDepth, sparse }: ObjectFilter): boolean {
  return treeDepth < Number.POSITIVE_INFINITY || sparse.length > 0
}
