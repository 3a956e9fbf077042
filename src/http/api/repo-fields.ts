/** The fields with which the Hub API tells of a repository (hub-api.md §2.3): which there are, by type, and what stands in them. */
import { HoldfastError } from '../../errors.ts'
import type { RepoType, Visibility } from '../../hub/repo.ts'
import type { RepoFacts } from '../../hub/repo-facts.ts'
import type { RepoCountsRow } from '../../hub/repo-metadata.ts'

/** A repository with what is told of it; what no field asks for is left out. */
export interface ToldRepo {
  id: string
  type: RepoType
  namespace: string
  name: string
  visibility: Visibility
  createdAt: Date
  lastModified: Date
  commitId: string | undefined
  counts: RepoCountsRow
  facts: RepoFacts
  siblings?: readonly unknown[]
  usedStorage?: number
}

type Write = (repo: ToldRepo) => unknown

/** By name. What is undefined is not sent. */
const fields: Record<string, Write> = {
  author: ({ namespace }) => namespace,
  baseModels: ({ facts }) => facts.baseModels,
  cardData: ({ facts }) => facts.card,
  config: ({ facts }) => facts.config,
  createdAt: ({ createdAt }) => createdAt.toISOString(),
  datasets: ({ facts }) => facts.datasets,
  disabled: () => false,
  downloads: ({ counts }) => counts.downloads,
  downloadsAllTime: ({ counts }) => counts.downloadsAllTime,
  gated: () => false,
  gguf: ({ facts }) => facts.gguf,
  lastModified: ({ lastModified }) => lastModified.toISOString(),
  library_name: ({ facts }) => facts.libraryName,
  likes: ({ counts }) => counts.likes,
  mask_token: ({ facts }) => facts.maskToken,
  'model-index': ({ facts }) => facts.card?.['model-index'],
  models: ({ facts }) => facts.models,
  paperswithcode_id: ({ facts }) => facts.card?.paperswithcode_id,
  pipeline_tag: ({ facts }) => facts.pipelineTag,
  private: ({ visibility }) => visibility === 'private',
  safetensors: ({ facts }) => facts.safetensors,
  sdk: ({ facts }) => facts.sdk,
  sha: ({ commitId }) => commitId,
  siblings: ({ siblings }) => siblings,
  spaces: () => [],
  subdomain: ({ namespace, name }) => `${namespace}-${name}`.toLowerCase().replace(/[^a-z0-9]+/g, '-'),
  tags: ({ facts }) => facts.tags,
  transformersInfo: ({ facts }) => facts.transformersInfo,
  trendingScore: ({ counts }) => counts.trending,
  usedStorage: ({ usedStorage }) => usedStorage,
  widgetData: ({ facts }) => facts.card?.widget,
  xetEnabled: () => false,
}

const always = ['author', 'createdAt', 'disabled', 'gated', 'lastModified', 'likes', 'private', 'tags']
const whole = [...always, 'cardData', 'sha', 'siblings', 'usedStorage']
const ofModels = [
  'config',
  'gguf',
  'library_name',
  'mask_token',
  'model-index',
  'pipeline_tag',
  'safetensors',
  'spaces',
]

/** What a description holds that names no fields. */
export const infoFields: Record<RepoType, readonly string[]> = {
  model: [...whole, 'downloads', ...ofModels, 'transformersInfo', 'widgetData'],
  dataset: [...whole, 'downloads', 'paperswithcode_id'],
  space: [...whole, 'datasets', 'models', 'sdk', 'subdomain'],
}

/** What an entry of a list holds that names no fields. */
export const listFields: Record<RepoType, readonly string[]> = {
  model: [...always, 'downloads', 'trendingScore', 'pipeline_tag', 'library_name'],
  dataset: [...always, 'downloads', 'trendingScore'],
  space: [...always, 'trendingScore', 'sdk'],
}

/** What may be asked for, by the Hub's documentation; where nothing is known of a field it stays out of the answer. */
const expandable: Record<RepoType, readonly string[]> = {
  model: [
    ...['author', 'baseModels', 'cardData', 'childrenModelCount', 'config', 'createdAt', 'disabled', 'downloads'],
    ...['downloadsAllTime', 'evalResults', 'gated', 'gguf', 'inference', 'inferenceProviderMapping', 'lastModified'],
    ...['library_name', 'likes', 'mask_token', 'model-index', 'pipeline_tag', 'private', 'resourceGroup'],
    ...['safetensors', 'sha', 'siblings', 'spaces', 'tags', 'transformersInfo', 'trendingScore', 'usedStorage'],
    'widgetData',
  ],
  dataset: [
    ...['author', 'cardData', 'citation', 'createdAt', 'description', 'disabled', 'downloads', 'downloadsAllTime'],
    ...['gated', 'lastModified', 'likes', 'mainSize', 'paperswithcode_id', 'private', 'resourceGroup', 'sha'],
    ...['siblings', 'tags', 'trendingScore', 'usedStorage'],
  ],
  space: [
    ...['author', 'cardData', 'createdAt', 'datasets', 'disabled', 'lastModified', 'likes', 'models', 'private'],
    ...['region', 'resourceGroup', 'runtime', 'sdk', 'sha', 'siblings', 'subdomain', 'tags', 'trendingScore'],
    'usedStorage',
  ],
}

/** Asked for by clients of some versions, whatever the type. */
const hidden = ['xetEnabled', 'gitalyUid', 'disabled', 'gated']

/** Throws InputInvalid for a field that there is not. */
export function checkExpanded(type: RepoType, names: readonly string[]): void {
  if (names.every((name) => expandable[type].includes(name) || hidden.includes(name))) return
  throw new HoldfastError('InputInvalid', { message: `"expand" must be one of [${expandable[type].join(', ')}]` })
}

/** The ids, and the fields of those names. */
export function writeRepo(repo: ToldRepo, names: readonly string[]): Record<string, unknown> {
  const id = `${repo.namespace}/${repo.name}`
  const values = names.map((name) => [name, fields[name]?.(repo)])
  return { _id: repo.id, id, ...(repo.type === 'model' ? { modelId: id } : undefined), ...Object.fromEntries(values) }
}

const ofFacts = ['baseModels', 'cardData', 'config', 'datasets', 'gguf', 'mask_token', 'model-index', 'models']
const moreOfFacts = ['paperswithcode_id', 'safetensors', 'sdk', 'transformersInfo', 'widgetData']
const needingFacts = new Set([...ofFacts, ...moreOfFacts])

/** Whether any of the fields is read of files, other than tags and what is found by them. */
export function needsFacts(names: readonly string[]): boolean {
  return names.some((name) => needingFacts.has(name))
}

/** `expand` as clients spell it: once, several times, or with brackets. */
export function expandedIn(query: { expand?: string | string[]; 'expand[]'?: string | string[] }): string[] {
  return [query.expand ?? [], query['expand[]'] ?? []].flat()
}
