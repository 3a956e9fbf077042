/**
 * The order of a clone pack: commits and tags, then trees, then blobs. Within a section the newest packs come first, and
 * each pack's objects as they lie, which is newest first as git packs them. A delta's base comes before it, so that the
 * delta can be copied; both are of one type.
 */
import { fairLoop } from '../fair-loop.ts'
import type { ObjectDatabase, ObjectType, Ordinal, StoredEntry } from '../repository.ts'
import { type WritePackOptions, writePack } from './writer.ts'

/** Git's own default for the depth of chains (pack.depth). */
export const chainDepthMax = 50

/** The clone pack of exactly these objects, self-contained, in pieces. */
export async function* writeClonePack(
  objects: ObjectDatabase,
  ordinals: Uint32Array,
  options: Pick<WritePackOptions, 'signal' | 'onProgress'> = {},
): AsyncGenerator<Uint8Array> {
  const ordered = await orderForClone(objects, ordinals)
  yield* writePack(objects, ordered, { ...options, ofsDelta: true, deltaDepthMax: chainDepthMax, keepOrder: true })
}

// Filled anew by each read.
const entry: StoredEntry = { pack: 0, offset: 0, end: 0, base: -1, ofsDistance: 0 }
const sectionOf: Record<ObjectType, number> = { commit: 0, tag: 0, tree: 1, blob: 2 }
const sectionCount = 3

async function orderForClone(objects: ObjectDatabase, ordinals: Uint32Array): Promise<Uint32Array> {
  const newestFirst = newestPacksFirst(objects, ordinals)
  const isOpen = new Uint8Array(objects.ordinalCount)
  for (const ordinal of ordinals) isOpen[ordinal] = 1
  const sections = Array.from({ length: sectionCount }, () => new Uint32Array(ordinals.length))
  const lengths = new Array<number>(sectionCount).fill(0)
  const pause = fairLoop()
  for (const ordinal of newestFirst) {
    if (isOpen[ordinal] === 0) continue
    const section = sectionOf[objects.stat(ordinal).type]
    // The whole chain below it, deepest first; what lies there already has its own bases before it.
    const chain: Ordinal[] = []
    for (let next = ordinal; next >= 0 && isOpen[next] === 1; next = entry.base) {
      isOpen[next] = 0
      chain.push(next)
      if (!objects.readStored(next, entry)) break
    }
    for (let last = chain.pop(); last !== undefined; last = chain.pop()) sections[section][lengths[section]++] = last
    if (pause.due()) await pause.now()
  }
  const ordered = new Uint32Array(ordinals.length)
  let at = 0
  for (const [section, members] of sections.entries()) {
    ordered.set(members.subarray(0, lengths[section]), at)
    at += lengths[section]
  }
  return ordered
}

/** Pack by pack, the highest number first, since packs are numbered as they became visible; each in its own order. */
function newestPacksFirst(objects: ObjectDatabase, ordinals: Uint32Array): Uint32Array {
  const stored = objects.inStoredOrder(ordinals)
  const runs: Uint32Array[] = []
  for (let from = 0; from < stored.length; ) {
    const to = endOfRun(objects, stored, from)
    runs.push(stored.subarray(from, to))
    from = to
  }
  const ordered = new Uint32Array(ordinals.length)
  let at = 0
  for (const run of runs.reverse()) {
    ordered.set(run, at)
    at += run.length
  }
  return ordered
}

/** Where the objects of the same pack as that at `from` end. */
function endOfRun(objects: ObjectDatabase, stored: Uint32Array, from: number): number {
  const pack = packOf(objects, stored[from])
  let low = from + 1
  let high = stored.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (packOf(objects, stored[middle]) === pack) low = middle + 1
    else high = middle
  }
  return low
}

function packOf(objects: ObjectDatabase, ordinal: Ordinal): number {
  return objects.readStored(ordinal, entry) ? entry.pack : -1
}
