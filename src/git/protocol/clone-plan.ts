/**
 * Whether a request can be served by the clone pack as it lies. It holds exactly what its tips lead to: so it may be sent
 * where the wants lead to every tip, and what then is missing leads from the wants that are not in it.
 */
import { idBytes } from '../object-id.ts'
import { whileBytesAbsent } from '../pack/absent-bytes.ts'
import type { ClonePack, ObjectDatabase, Ordinal, PackSection, Ref } from '../repository.ts'
import { peel } from '../walk/commit-graph.ts'
import { leadToAll } from '../walk/leads-to.ts'
import { noFilter, type ObjectFilter } from '../walk/object-filter.ts'
import { selectObjects } from '../walk/select-objects.ts'
import type { PackAnswer } from './fetch-plan.ts'

export interface ClonePlan {
  pack: ClonePack
  /** Sent as it lies up to the end of this section. */
  section: PackSection
  /** What goes with it: objects that came since. */
  since: Uint32Array
}

/** Undefined where the objects must be selected one by one. Begins again where a tag of a pack in blocks must come first. */
export async function planClone(answer: PackAnswer): Promise<ClonePlan | undefined> {
  return await whileBytesAbsent(() => plan(answer))
}

async function plan(answer: PackAnswer): Promise<ClonePlan | undefined> {
  const pack = answer.objects.clonePack
  const section = pack === undefined ? undefined : sectionFor(pack, answer)
  if (pack === undefined || section === undefined) return undefined
  const tips = locateAll(answer.objects, pack.tipIds)
  if (!(await leadsToTips(answer, tips))) return undefined
  return { pack, section, since: await selectSince(answer, pack, tips) }
}

/** The part of the pack that a client without anything asks for; undefined where it asks for something else. */
function sectionFor(pack: ClonePack, answer: PackAnswer): PackSection | undefined {
  const { request, haves, plan, boundary, objects } = answer
  const { shallow, unshallow } = boundary
  const isPartOfHistory = request.shallow.length + shallow.length + unshallow.length > 0
  if (isPartOfHistory || haves.length > 0 || !request.ofsDelta) return undefined
  if (plan.filter === undefined) return pack.sections.blobs
  const section = filteredSection(pack, plan.filter)
  // What the client names itself is never left out, nor what a tag of its points to.
  const isOfCommits = () => plan.wants.every((want) => objects.stat(peel(objects, want)).type === 'commit')
  return section !== undefined && isOfCommits() ? section : undefined
}

function filteredSection({ sections }: ClonePack, filter: ObjectFilter): PackSection | undefined {
  if (filter.sparse.length > 0 || filter.types.size < noFilter.types.size) return undefined
  if (filter.treeDepth <= 0) return sections.history
  if (filter.treeDepth < noFilter.treeDepth) return undefined
  if (filter.blobMaxBytes <= 0) return sections.trees
  return filter.blobMaxBytes === noFilter.blobMaxBytes ? sections.blobs : undefined
}

function locateAll(objects: ObjectDatabase, ids: Buffer): Ordinal[] {
  return Array.from({ length: ids.length / idBytes }, (_, at) => objects.locate(ids, at * idBytes))
}

/** True where what the client asks for leads to every tip. With include-tag it gets tags along with their targets. */
async function leadsToTips(
  { objects, plan, refs, request, signal }: PackAnswer,
  tips: readonly Ordinal[],
): Promise<boolean> {
  const tags = new Set(
    request.includeTag
      ? refs.refs
          .annotated()
          .filter(isTag)
          .map(({ id }) => id)
      : [],
  )
  const targets = tags.size === 0 ? tips : tips.map((tip) => (tags.has(objects.idOf(tip)) ? peel(objects, tip) : tip))
  const leadTo = (ends: readonly Ordinal[]) => leadToAll(plan.graph, plan.wants, ends, signal)
  return (await leadTo(tips)) || (await leadTo(targets))
}

function isTag({ name }: Ref): boolean {
  return name.startsWith('refs/tags/')
}

/** What the wants lead to beyond the clone pack, and the tags that belong to what is sent. */
async function selectSince(answer: PackAnswer, pack: ClonePack, tips: readonly Ordinal[]): Promise<Uint32Array> {
  const { objects, plan, refs, request, signal } = answer
  const wanted = new Set(plan.wants)
  const isNew = (ordinal: Ordinal) => pack.offsetOf(ordinal) < 0
  const wants = plan.wants.filter(isNew)
  const tags = request.includeTag ? newTags(objects, refs.refs.annotated(), pack).filter((tag) => !wanted.has(tag)) : []
  if (wants.length + tags.length === 0) return new Uint32Array(0)
  const { ordinals } = await selectObjects(objects, {
    wants: [...wants, ...tags],
    haves: tips,
    tags: request.includeTag ? refs.refs.annotated() : [],
    filter: plan.filter,
    graph: plan.graph,
    signal,
  })
  return ordinals.filter(isNew)
}

/** Tags that are not in the clone pack, of what is in it. */
function newTags(objects: ObjectDatabase, refs: readonly Ref[], pack: ClonePack): Ordinal[] {
  const scratch = Buffer.alloc(idBytes)
  const locate = (id: string) => objects.locate(scratch.fill(id, 'hex'))
  return refs.filter(isTag).flatMap(({ id, peeledId = id }) => {
    const tag = locate(id)
    return tag >= 0 && pack.offsetOf(tag) < 0 && pack.offsetOf(locate(peeledId)) >= 0 ? [tag] : []
  })
}
