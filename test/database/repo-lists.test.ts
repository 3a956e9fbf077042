import t from 'tap'
import type { Queryable } from '../../src/database/queryable.ts'
import { listReposBy, type RepoQuestion } from '../../src/database/repo-lists.ts'
import { createTestDatabase } from '../support/postgres.ts'

const plain: RepoQuestion = {
  ...{ reader: { userId: undefined, isAll: false }, type: 'model', namespaceId: undefined, words: [], tags: [] },
  ...{ pipelineTag: undefined, parameters: { min: undefined, max: undefined }, sort: 'createdAt', isAscending: false },
  ...{ after: undefined, rowsMax: 11, isDetailed: false },
}

async function openCrowd(t: Parameters<typeof createTestDatabase>[0]) {
  const { database } = await createTestDatabase(t)
  await database.query(
    `insert into namespaces (name, kind) select 'people-' || g, 'user' from generate_series(1, 50) g`,
  )
  await database.query('insert into users (id) select id from namespaces')
  await database.query(
    `insert into repos (namespace_id, type, name, visibility)
     select (select min(id) from namespaces) + g % 50, 'model', 'model-' || g || '-' || md5(g::text), 'public'
     from generate_series(1, 10000) g`,
  )
  await database.query('update repo_counts set likes = repo_id % 100, downloads = repo_id * 7 % 1000')
  await database.query(`update repo_metadata set tags = array['common', 'tag-' || repo_id % 2500]`)
  // Merges what the index of tags has pending, too.
  await database.query('vacuum analyze')
  /** Asks the same, and tells how it is done. */
  const explain = async (question: Partial<RepoQuestion>) => {
    let plan = ''
    const explaining: Queryable = {
      query: async <Row>(sql: string, values?: readonly unknown[]) => {
        if (!sql.includes('with page')) return await database.query<Row>(sql, values)
        const rows = await database.query<{ 'QUERY PLAN': string }>(`explain ${sql}`, values)
        plan = rows.map((row) => row['QUERY PLAN']).join('\n')
        return []
      },
    }
    await listReposBy(explaining, { ...plain, ...question })
    return plan
  }
  return { database, explain }
}

t.test('every sort walks its index, whatever the page', async (t) => {
  const { database, explain } = await openCrowd(t)
  const indexes = {
    createdAt: /Index .*Scan Backward using repos_(type|pkey)|Index .*Scan using repos_(type|pkey)/,
    lastModified: 'repo_metadata_last_modified',
    downloads: 'repo_counts_downloads',
    likes: 'repo_counts_likes',
    trendingScore: 'repo_counts_trending',
  } as const
  for (const [sort, index] of Object.entries(indexes) as [keyof typeof indexes, string | RegExp][]) {
    for (const isAscending of [false, true]) {
      const rows = await listReposBy(database, { ...plain, sort, isAscending })
      const after = rows.at(-1)
      for (const plan of [await explain({ sort, isAscending }), await explain({ sort, isAscending, after })]) {
        t.match(plan, index, `${sort} by ${index}`)
        t.notMatch(plan, /Seq Scan on (repos|repo_counts|repo_metadata)/, sort)
      }
    }
  }
})

t.test('what is rare is found by its own index', async (t) => {
  const { database, explain } = await openCrowd(t)
  t.match(await explain({ tags: ['tag-77'], sort: 'likes' }), 'repo_metadata_tags')
  t.match(await explain({ words: ['98f137082'], sort: 'likes' }), 'repos_name_parts')
  t.notMatch(await explain({ tags: ['common', 'tag-77'], sort: 'downloads' }), 'Seq Scan on repos')
  const both = await listReposBy(database, { ...plain, tags: ['common', 'tag-77'], sort: 'downloads' })
  t.equal(both.length, 4)
  t.same(await listReposBy(database, { ...plain, tags: ['tag-76', 'tag-77'] }), [])
})

t.test('a word that thousands of namespaces hold finds the same', async (t) => {
  const { database } = await openCrowd(t)
  await database.query(
    `insert into namespaces (name, kind) select 'crowd-' || g, 'user' from generate_series(1, 5001) g`,
  )
  await database.query(
    `insert into repos (namespace_id, type, name, visibility)
     select id, 'model', 'bert', 'public' from namespaces where name in ('crowd-7', 'crowd-17', 'people-7')`,
  )
  const find = async (...words: string[]) =>
    (await listReposBy(database, { ...plain, words })).map(({ namespace, name }) => `${namespace}/${name}`).sort()
  t.same(await find('crowd'), ['crowd-17/bert', 'crowd-7/bert'])
  t.same(await find('crowd', 'bert'), ['crowd-17/bert', 'crowd-7/bert'])
  t.same(await find('crowd-17'), ['crowd-17/bert'])
  t.same(await find('/bert'), ['crowd-17/bert', 'crowd-7/bert', 'people-7/bert'])
})
