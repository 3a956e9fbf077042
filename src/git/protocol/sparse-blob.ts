/** The blob of patterns that a filter `sparse:oid` names: by its id, or by a path in a revision. */
import { HoldfastError } from '../../errors.ts'
import { type ObjectId, parseObjectId } from '../object-id.ts'
import { expandRef } from '../ref-lookup.ts'
import { locateId, type ObjectDatabase, type Ordinal } from '../repository.ts'
import { parseTree } from '../tree.ts'
import { CommitGraph, peel } from '../walk/commit-graph.ts'
import type { ObjectFilter } from '../walk/object-filter.ts'
import { SparsePatterns } from '../walk/sparse-patterns.ts'
import type { FetchScene } from './fetch-scene.ts'
import type { FilterSpec } from './filter-spec.ts'

/** The filter with its patterns read. Throws InputInvalid, in the same words for a blob that the caller may not read. */
export async function readSparseFilter(scene: FetchScene, spec: FilterSpec): Promise<ObjectFilter> {
  const { sparseNames, ...filter } = spec
  const sparse: SparsePatterns[] = []
  for (const name of new Set(sparseNames)) sparse.push(await readPatterns(scene, name))
  return { ...filter, sparse }
}

async function readPatterns(scene: FetchScene, name: string): Promise<SparsePatterns> {
  const { objects, limits } = scene
  const blob = await findBlob(scene, name)
  if (blob === undefined || objects.stat(blob).type !== 'blob') {
    throw invalid(`unable to access sparse blob in '${name.slice(0, 256)}'`)
  }
  if (objects.stat(blob).sizeBytes > limits.gitSparsePatternsMaxBytes) {
    throw new HoldfastError('InputTooLarge', {
      message: `The sparse patterns in '${name.slice(0, 256)}' are too long.`,
    })
  }
  return new SparsePatterns(objects.read(blob).data.toString('latin1'))
}

async function findBlob(scene: FetchScene, name: string): Promise<Ordinal | undefined> {
  const colon = name.indexOf(':')
  if (colon < 0) return await findVisible(scene, parseObjectId(name) ?? expandRef(scene.refs, name)[0])
  const revision = name.slice(0, colon)
  const root = await findVisible(scene, parseObjectId(revision) ?? expandRef(scene.refs, revision)[0])
  return root === undefined ? undefined : followPath(scene.objects, root, name.slice(colon + 1))
}

async function findVisible({ host, objects, refs }: FetchScene, id: ObjectId | undefined) {
  if (id === undefined || locateId(objects, id) < 0) return undefined
  const isTip = id === refs.headId || refs.refs.withoutTips([id]).length === 0
  if (!isTip && (await host.refusedWants(objects, refs, [id])).length > 0) return undefined
  return peel(objects, locateId(objects, id))
}

function followPath(objects: ObjectDatabase, root: Ordinal, path: string): Ordinal | undefined {
  let place = objects.stat(root).type === 'commit' ? new CommitGraph(objects).treeOf(root) : root
  for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
    if (objects.stat(place).type !== 'tree') return undefined
    const entry = parseTree(objects.read(place).data).find((each) => each.name === name)
    const next = entry === undefined ? -1 : locateId(objects, entry.id)
    if (next < 0) return undefined
    place = next
  }
  return place
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('InputInvalid', { message })
}
