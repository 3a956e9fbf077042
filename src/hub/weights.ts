/**
 * How large a model is, by the headers of its weights: read with ranged reads from wherever the files lie, never whole.
 * What was read is kept by the content's hash.
 */
import { LRUCache } from 'lru-cache'
import { findLfsObjects } from '../database/lfs-objects.ts'
import { isHoldfastError } from '../errors.ts'
import type { GgufHeader } from '../formats/gguf.ts'
import { addCounts, lengthBytes, type ParameterCounts, readHeaderLength } from '../formats/safetensors.ts'
import type { ObjectId } from '../git/object-id.ts'
import { describeBlob } from './commit-files.ts'
import { readBlob } from './files.ts'
import { readFormat } from './format-tasks.ts'
import type { Hub } from './hub.ts'
import type { Repo } from './repo.ts'

export interface Weights {
  safetensors?: ParameterCounts
  gguf?: GgufHeader
}

/** Files of a commit's root folder, by name. */
export type RootFiles = ReadonlyMap<string, ObjectId>

/** A file whose bytes can be read in part. */
interface Source {
  /** The same for the same content. */
  contentId: string
  sizeBytes: number
  read(start: number, length: number): Promise<Buffer>
}

const atOnceMax = 8
// One read fetches length and header of nearly every file.
const firstReadBytes = 128 * 1024
const growth = 4

/** What the weights in the root folder say. Whatever is absent, damaged or beyond the limits is left out. */
export async function readWeights(hub: Hub, repo: Repo, root: RootFiles): Promise<Weights> {
  const [safetensors, gguf] = await Promise.all([
    readSafetensors(hub, repo, root).catch(leaveMissingOut),
    readGgufFiles(hub, repo, root).catch(leaveMissingOut),
  ])
  return { safetensors, gguf }
}

/** A description is worth having without weights whose bytes are lost. */
function leaveMissingOut(error: unknown): undefined {
  if (!isHoldfastError(error, 'BytesMissing')) throw error
}

async function readSafetensors(hub: Hub, repo: Repo, root: RootFiles): Promise<ParameterCounts | undefined> {
  const names = await chooseSafetensors(hub, repo, root)
  const sources = await openSources(hub, repo, root, names)
  if (sources === undefined) return undefined
  const counts = await mapSome(sources, (source) =>
    remembered(`safetensors:${source.contentId}`, () => readParameters(hub, source)),
  )
  return counts.every((count) => count !== undefined) ? addCounts(counts) : undefined
}

/** The files of one model: the weights in one file, or the shards that their index lists. */
async function chooseSafetensors(hub: Hub, repo: Repo, root: RootFiles): Promise<string[]> {
  if (root.has('model.safetensors')) return ['model.safetensors']
  const index = 'model.safetensors.index.json'
  if (root.has(index)) return await readShardNames(hub, repo, root, index)
  const all = [...root.keys()].filter((name) => name.endsWith('.safetensors'))
  if (all.includes('adapter_model.safetensors')) return ['adapter_model.safetensors']
  // Several are variants of each other, or parts of something else: to add them up would say nothing.
  return all.length === 1 ? all : []
}

async function readShardNames(hub: Hub, repo: Repo, root: RootFiles, index: string): Promise<string[]> {
  const [source] = (await openSources(hub, repo, root, [index])) ?? []
  if (source === undefined || source.sizeBytes > hub.config.limits.gitObjectHeldMaxBytes) return []
  const names = await remembered(`shards:${source.contentId}`, async () => {
    const input = await source.read(0, source.sizeBytes)
    const listed = await readFormat(hub, 'listShards', { input, sizeBytes: input.length })
    return listed !== undefined && listed.length <= hub.config.limits.weightFilesMax ? listed : undefined
  })
  return names ?? []
}

async function readParameters(hub: Hub, source: Source): Promise<ParameterCounts | undefined> {
  const start = await source.read(0, firstReadBytes)
  const length = readHeaderLength(start, source.sizeBytes)
  if (length === undefined || length > hub.config.limits.weightsHeaderMaxBytes) return undefined
  const end = lengthBytes + length
  const rest = end > start.length ? await source.read(start.length, end - start.length) : Buffer.alloc(0)
  const input = Buffer.concat([start.subarray(lengthBytes, end), rest])
  return await readFormat(hub, 'countParameters', { input, sizeBytes: input.length })
}

async function readGgufFiles(hub: Hub, repo: Repo, root: RootFiles): Promise<GgufHeader | undefined> {
  const sources = await openSources(hub, repo, root, chooseGguf([...root.keys()]))
  if (sources === undefined) return undefined
  const headers = await mapSome(sources, (source) =>
    remembered(`gguf:${source.contentId}`, () => readGgufHeader(hub, source)),
  )
  const [first] = headers
  if (first === undefined || headers.includes(undefined)) return undefined
  return { ...first, total: headers.reduce((sum, header) => sum + header!.total, 0) }
}

/** The first model by name, with all its shards; projectors for images (`mmproj`) are no models. */
function chooseGguf(names: readonly string[]): string[] {
  const [first] = names.filter((name) => name.endsWith('.gguf') && !/mmproj/i.test(name)).sort()
  const shard = /^(.*)-\d+-of-(\d+)\.gguf$/.exec(first ?? '')
  if (shard === null) return first === undefined ? [] : [first]
  const [, stem, count] = shard
  return names.filter((name) => name.startsWith(`${stem}-`) && name.endsWith(`-of-${count}.gguf`))
}

async function readGgufHeader(hub: Hub, source: Source): Promise<GgufHeader | undefined> {
  const { weightsHeaderMaxBytes } = hub.config.limits
  let bytes = Buffer.alloc(0)
  for (let length = firstReadBytes; ; length *= growth) {
    const want = Math.min(length, source.sizeBytes, weightsHeaderMaxBytes)
    if (want <= bytes.length) return undefined
    bytes = Buffer.concat([bytes, await source.read(bytes.length, want - bytes.length)])
    const reading = await readFormat(hub, 'readGguf', { input: bytes, sizeBytes: bytes.length })
    if (reading === 'none') return undefined
    if (reading !== 'more') return reading.header
  }
}

/** Sources of the named files; undefined where there are none, too many, or one cannot be read here. */
async function openSources(
  hub: Hub,
  repo: Repo,
  root: RootFiles,
  names: readonly string[],
): Promise<Source[] | undefined> {
  const ids = names.flatMap((name) => root.get(name) ?? [])
  if (ids.length === 0 || ids.length < names.length || ids.length > hub.config.limits.weightFilesMax) return undefined
  const blobs = await hub.repositories.withObjects(repo, async (objects) => ids.map((id) => describeBlob(objects, id)))
  const oids = blobs.flatMap(({ lfs }) => lfs?.lfsOid ?? [])
  const asker = { repoId: repo.id, userId: undefined, isAdmin: false }
  const rows = oids.length === 0 ? [] : await findLfsObjects(hub.database, asker, oids)
  const granted = new Map(rows.filter(({ isGranted }) => isGranted).map((row) => [row.lfsOid, row]))
  const sources = blobs.map(({ blobId, sizeBytes, lfs }): Source | undefined => {
    if (lfs === undefined) {
      const read = (start: number, length: number) =>
        collect(readBlob(hub, repo, blobId, rangeOf(start, length, sizeBytes)))
      return { contentId: blobId, sizeBytes, read }
    }
    const row = granted.get(lfs.lfsOid)
    if (row === undefined) return undefined
    const read = async (start: number, length: number) =>
      await collect(await hub.bucket.get(row.key, rangeOf(start, length, row.sizeBytes)))
    return { contentId: lfs.lfsOid, sizeBytes: row.sizeBytes, read }
  })
  return sources.every((source) => source !== undefined) ? sources : undefined
}

function rangeOf(start: number, length: number, sizeBytes: number) {
  return { start, end: Math.min(start + length, sizeBytes) - 1 }
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** As `Promise.all`, a few at a time. */
async function mapSome<In, Out>(items: readonly In[], run: (item: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = []
  const queue = items.entries()
  const runners = Array.from({ length: Math.min(atOnceMax, items.length) }, async () => {
    for (const [index, item] of queue) results[index] = await run(item)
  })
  await Promise.all(runners)
  return results
}

// By the length of what is kept: chat templates are long now and then.
const known = new LRUCache<string, { value: unknown }>({ maxSize: 32 * 2 ** 20 })
/** What is being read now: those who ask at once share it. */
const reading = new Map<string, Promise<unknown>>()

/** Content never changes: what was once read of it holds, that it cannot be read included. */
async function remembered<T>(key: string, read: () => Promise<T>): Promise<T> {
  const found = known.get(key)
  if (found !== undefined) return found.value as T
  const flight = (reading.get(key) as Promise<T> | undefined) ?? read().finally(() => reading.delete(key))
  reading.set(key, flight)
  const value = await flight
  known.set(key, { value }, { size: key.length + (JSON.stringify(value)?.length ?? 0) })
  return value
}
