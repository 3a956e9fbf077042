/** Lists of models, datasets and spaces (hub-api.md §2.15). */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { HoldfastError } from '../../errors.ts'
import type { Hub } from '../../hub/hub.ts'
import type { RepoType } from '../../hub/repo.ts'
import { noFacts, type RepoFacts } from '../../hub/repo-facts.ts'
import { type ListedRepoRow, type RepoSort, searchRepos } from '../../hub/repo-search.ts'
import { apiTypeNames } from '../repo-route.ts'
import { linkNextPage } from './next-page.ts'
import { checkExpanded, expandedIn, listFields, needsFacts, writeRepo } from './repo-fields.ts'
import { isTrue } from './schemas.ts'

const Text = Type.Optional(Type.String())
const Texts = Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())]))

const ListQuery = Type.Object({
  author: Text,
  search: Texts,
  filter: Texts,
  pipeline_tag: Text,
  /** `min:6B,max:128B`, or one of the two. */
  num_parameters: Text,
  gated: Text,
  inference: Text,
  inference_provider: Texts,
  apps: Texts,
  models: Texts,
  datasets: Texts,
  linked: Text,
  sort: Text,
  direction: Text,
  limit: Type.Optional(Type.Integer({ minimum: 1 })),
  cursor: Text,
  full: Text,
  cardData: Text,
  config: Text,
  expand: Texts,
  'expand[]': Texts,
})
type ListQuery = Static<typeof ListQuery>

/** Filters that are tags behind their own name, as older clients and links send them. */
const tagFilters = [
  'library',
  'language',
  'license',
  'dataset',
  'task_categories',
  'task_ids',
  'size_categories',
  'other',
]

/** The routes `/api/{models|datasets|spaces}`. */
export function listRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    for (const [type, plural] of Object.entries(apiTypeNames)) {
      server.get(`/api/${plural}`, {
        config: { access: 'public' },
        schema: { querystring: ListQuery },
        handler: (request, reply) => list(hub, request, reply, type as RepoType),
      })
    }
  }
}

async function list(hub: Hub, request: FastifyRequest, reply: FastifyReply, type: RepoType): Promise<FastifyReply> {
  const query = request.query as ListQuery
  const names = fieldsOf(type, query)
  reply.header('cache-control', 'no-store')
  if (isForNothing(query)) return reply.send([])
  const { repos, next } = await searchRepos(hub, request.principal, {
    type,
    author: query.author,
    words: listOf(query.search),
    tags: [...listOf(query.filter).flatMap((tags) => tags.split(',')), ...namedTags(type, query)],
    pipelineTag: query.pipeline_tag,
    parameters: parseRange(query.num_parameters),
    sort: parseSort(query.sort),
    isAscending: query.direction === '1',
    cursor: query.cursor,
    pageSize: query.limit,
    isDetailed: needsFacts(names) || names.includes('siblings'),
  })
  linkNextPage(hub, request, reply, next)
  return reply.send(repos.map((row) => writeRow(type, row, names)))
}

function writeRow(type: RepoType, row: ListedRepoRow, names: readonly string[]) {
  const { repoId: id, tags, pipelineTag, libraryName, commitId, files } = row
  const stored = (row.facts ?? noFacts) as RepoFacts
  const facts = { ...stored, tags, pipelineTag: pipelineTag ?? undefined, libraryName: libraryName ?? undefined }
  const siblings = files?.map((rfilename) => ({ rfilename }))
  return writeRepo({ ...row, id, type, counts: row, commitId: commitId ?? undefined, facts, siblings }, names)
}

/** What each entry tells. Throws InputInvalid for fields that there are not, or that are named beside whole sets of them. */
function fieldsOf(type: RepoType, query: ListQuery): readonly string[] {
  const expanded = expandedIn(query)
  checkExpanded(type, expanded)
  const [isFull, hasCard, hasConfig] = [query.full, query.cardData, query.config].map(isTrue)
  if (expanded.length === 0) {
    return [
      ...listFields[type],
      ...(isFull ? ['sha', 'siblings'] : []),
      ...(hasCard || (isFull && type !== 'model') ? ['cardData'] : []),
      ...(hasConfig ? ['config'] : []),
    ]
  }
  if (!isFull && !hasCard && !hasConfig) return expanded
  throw new HoldfastError('InputInvalid', {
    message: '"expand" cannot be asked for together with "full", "cardData" or "config"',
  })
}

/** Nothing is gated here, or served by anybody. What only the Hub knows is refused rather than passed over. */
function isForNothing(query: ListQuery): boolean {
  const unknown = (['apps', 'models', 'datasets', 'linked'] as const).find((name) => query[name] !== undefined)
  if (unknown !== undefined) {
    throw new HoldfastError('InputInvalid', { message: `This server cannot filter by "${unknown}".` })
  }
  return isTrue(query.gated) || query.inference !== undefined || query.inference_provider !== undefined
}

function namedTags(type: RepoType, query: ListQuery): string[] {
  const named = query as Record<string, string | string[] | undefined>
  return tagFilters.flatMap((name) =>
    listOf(named[name]).map((value) => {
      const isBare = name === 'library' || name === 'other' || (name === 'language' && type === 'model')
      return isBare || value.startsWith(`${name}:`) ? value : `${name}:${value}`
    }),
  )
}

const sorts: Record<string, RepoSort> = {
  createdAt: 'createdAt',
  created_at: 'createdAt',
  lastModified: 'lastModified',
  last_modified: 'lastModified',
  modified: 'lastModified',
  downloads: 'downloads',
  likes: 'likes',
  likes7d: 'trendingScore',
  trending: 'trendingScore',
  trendingScore: 'trendingScore',
  trending_score: 'trendingScore',
}

function parseSort(sort: string | undefined): RepoSort {
  if (sort === undefined) return 'createdAt'
  if (Object.hasOwn(sorts, sort)) return sorts[sort]
  const names = [...new Set(Object.values(sorts))].join(', ')
  throw new HoldfastError('InputInvalid', { message: `"sort" must be one of [${names}]` })
}

const scales: Record<string, number> = { '': 1, K: 1e3, M: 1e6, B: 1e9, T: 1e12 }

function parseRange(text: string | undefined): { min: number | undefined; max: number | undefined } {
  const bounds: Record<string, number> = {}
  for (const part of text === undefined ? [] : text.split(',')) {
    const [, bound, number, scale] = /^(min|max):(\d{1,6}(?:\.\d{1,6})?)([KMBT]?)$/i.exec(part) ?? []
    if (bound === undefined) {
      throw new HoldfastError('InputInvalid', { message: '"num_parameters" must be like "min:6B,max:128B"' })
    }
    bounds[bound.toLowerCase()] = Math.round(Number(number) * scales[scale.toUpperCase()])
  }
  return { min: bounds.min, max: bounds.max }
}

function listOf(value: string | string[] | undefined): string[] {
  return [value ?? []].flat().filter((one) => one !== '')
}
