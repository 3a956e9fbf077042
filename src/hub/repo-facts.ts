/** What a commit's files say of their repository: card, tags, configuration, size of the model. */
import { LRUCache } from 'lru-cache'
import type { Metadata } from '../formats/front-matter.ts'
import type { GgufHeader } from '../formats/gguf.ts'
import { type ConfigFiles, configNames, type ModelConfig } from '../formats/model-config.ts'
import type { ParameterCounts } from '../formats/safetensors.ts'
import { deriveTags, kindOfModelFile, type RepoTags } from '../formats/tags.ts'
import { fairLoop } from '../git/fair-loop.ts'
import type { ObjectId } from '../git/object-id.ts'
import { readCard } from './cards.ts'
import { describeBlob, locateObject } from './commit-files.ts'
import { listFiles, listFolder } from './file-lists.ts'
import { readFormat } from './format-tasks.ts'
import type { Hub } from './hub.ts'
import type { Repo } from './repo.ts'
import { type RootFiles, readWeights } from './weights.ts'

export interface RepoFacts extends RepoTags, Partial<ModelConfig> {
  card: Metadata | undefined
  safetensors?: ParameterCounts
  gguf?: GgufHeader
}

/** Of a repository without a commit. */
export const noFacts: RepoFacts = {
  card: undefined,
  ...deriveTags({ type: 'space', card: undefined, model: undefined, readme: '', files: [] }),
}

export interface CommitFacts {
  facts: RepoFacts
  /** The paths of all files; undefined where they are many. */
  files: readonly string[] | undefined
}

// Revisions that clients ask for again and again, by the length of what is kept of them.
const known = new LRUCache<string, CommitFacts>({ maxSize: 32 * 1024 * 1024 })
/** What is being read now: those who ask at once share it. */
const reading = new Map<string, Promise<CommitFacts>>()
const rootEntriesMax = 10_000
const storedFilesMax = 1_000

/** What the commit, which the caller may read, says. A commit never changes, so what was read is kept. */
export async function readCommitFacts(hub: Hub, repo: Repo, commitId: ObjectId): Promise<CommitFacts> {
  const key = `${repo.type}:${repo.id}:${commitId}`
  const found = known.get(key)
  if (found !== undefined) return found
  const flight = reading.get(key) ?? readFacts(hub, repo, commitId).finally(() => reading.delete(key))
  reading.set(key, flight)
  const facts = await flight
  known.set(key, facts, { size: JSON.stringify(facts).length })
  return facts
}

async function readFacts(hub: Hub, repo: Repo, commitId: ObjectId): Promise<CommitFacts> {
  const files = await listFiles(hub, repo, { commitId, isDetailed: false })
  const root = new Map((files ?? (await listRoot(hub, repo, commitId))).flatMap(asRootFile))
  const paths = files?.map(({ path }) => path) ?? [...root.keys()]
  const isModel = repo.type === 'model'
  const [readme, model, weights] = await Promise.all([
    readText(hub, repo, root, 'README.md'),
    isModel ? readConfig(hub, repo, root) : undefined,
    isModel ? readWeights(hub, repo, root) : undefined,
  ])
  const { metadata: card } = await readCard(hub, readme)
  const tags = deriveTags({ type: repo.type, card, model, readme, files: isModel ? await oneOfEachKind(paths) : [] })
  return {
    facts: { ...tags, card, ...model, ...weights },
    files: paths.length <= storedFilesMax && files !== undefined ? paths : undefined,
  }
}

/** There may be a hundred thousand. */
async function oneOfEachKind(paths: readonly string[]): Promise<string[]> {
  const found = new Map<string, string>()
  const pause = fairLoop()
  for (const path of paths) {
    if (pause.due()) await pause.now()
    const kind = kindOfModelFile(path)
    if (kind !== undefined) found.set(kind, path)
  }
  return [...found.values()]
}

/** Where there are too many files to list, those of the root folder. */
async function listRoot(hub: Hub, repo: Repo, commitId: ObjectId) {
  const question = { commitId, path: [], isRecursive: false, after: undefined, withLastCommit: false }
  const { entries } = await listFolder(hub, repo, { ...question, pageSize: rootEntriesMax })
  return entries.filter(({ kind }) => kind === 'file').map(({ path, id }) => ({ path, blobId: id }))
}

function asRootFile({ path, blobId }: { path: string; blobId: ObjectId }): [string, ObjectId][] {
  return path.includes('/') ? [] : [[path, blobId]]
}

async function readConfig(hub: Hub, repo: Repo, root: RootFiles): Promise<ModelConfig> {
  const input: ConfigFiles = {}
  for (const name of configNames) input[name] = await readSmall(hub, repo, root.get(name))
  const sizeBytes = Object.values(input).reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0)
  return await readFormat(hub, 'readModelConfig', { input, sizeBytes })
}

async function readText(hub: Hub, repo: Repo, root: RootFiles, name: string): Promise<string> {
  return (await readSmall(hub, repo, root.get(name)))?.toString() ?? ''
}

/** The file's bytes; undefined where it is absent, an LFS file, or longer than what is read of such files. */
async function readSmall(hub: Hub, repo: Repo, blobId: ObjectId | undefined): Promise<Buffer | undefined> {
  if (blobId === undefined) return undefined
  return await hub.repositories.withObjects(repo, async (objects) => {
    const { sizeBytes, lfs } = describeBlob(objects, blobId)
    if (lfs !== undefined || sizeBytes > hub.config.limits.metadataFileMaxBytes) return undefined
    return objects.read(locateObject(objects, blobId)).data
  })
}
