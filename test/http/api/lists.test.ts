import t, { type Test } from 'tap'
import { refreshMetadata } from '../../../src/hub/repo-metadata.ts'
import { commitFiles } from '../../support/commits.ts'
import { addPerson, addRepo, type HouseOptions, openDoors, openHouse, type Person } from '../../support/house.ts'

async function openScene(t: Test, options: HouseOptions = {}) {
  const hub = await openHouse(t, options)
  hub.config.publicUrl = 'http://hub.example'
  const [ada, eve] = [await addPerson(hub, 'ada'), await addPerson(hub, 'eve')]
  const server = await openDoors(t, hub)
  const get = (url: string, who?: Person) => server.inject({ url, headers: who?.headers })
  const add = async (owner: Person, name: string, card: string, more: Parameters<typeof addRepo>[3] = {}) => {
    const repo = await addRepo(hub, owner, name, more)
    await commitFiles(hub, repo, { 'README.md': `---\n${card}\n---\n` })
    await refreshMetadata(hub, repo.id)
    return repo
  }
  const ids = async (query: string, who?: Person) => {
    const answer = await get(`/api/models${query}`, who)
    return answer.statusCode === 200 ? answer.json().map((repo: { id: string }) => repo.id) : answer.statusCode
  }
  /** All entries, page by page. */
  const all = async (query: string, who?: Person) => {
    const found: string[] = []
    for (let url: string | undefined = `/api/models${query}`; url !== undefined; ) {
      const answer: Awaited<ReturnType<typeof get>> = await get(url, who)
      found.push(...answer.json().map((repo: { id: string }) => repo.id))
      url = /^<http:\/\/hub\.example(.*)>; rel="next"$/.exec(String(answer.headers.link ?? ''))?.[1]
    }
    return found
  }
  return { hub, ada, eve, get, add, ids, all }
}

t.test('filters', async (t) => {
  const { ada, eve, add, ids } = await openScene(t)
  await add(ada, 'one', 'license: mit\nlanguage: en\npipeline_tag: fill-mask\nlibrary_name: transformers')
  await add(ada, 'two', 'license: mit\nlanguage: fr\ntags: [fill-mask]')
  await add(eve, 'three', 'license: gpl\nlanguage: en\ndatasets: [squad]')
  await add(eve, 'data', 'license: mit', { type: 'dataset' })
  t.same(await ids('?filter=license:mit'), ['ada/two', 'ada/one'])
  t.same(await ids('?filter=license:mit&filter=en'), ['ada/one'])
  t.same(await ids('?filter=license:mit,en'), ['ada/one'])
  t.same(await ids('?filter=fill-mask'), ['ada/two', 'ada/one'])
  t.same(await ids('?pipeline_tag=fill-mask'), ['ada/one'])
  t.same(await ids('?pipeline_tag=fill-mask&filter=fr'), [])
  t.same(await ids('?filter=dataset:squad&author=EVE'), ['eve/three'])
  t.same(await ids('?library=transformers'), ['ada/one'])
  t.same(await ids('?language=en&license=gpl'), ['eve/three'])
  t.same(await ids('?author=nobody'), [])
  t.same(await ids('?gated=True'), [])
  t.same(await ids('?gated=False&author=eve'), ['eve/three'])
  t.same(await ids('?inference=warm'), [])
  t.same(await ids('?apps=vllm'), 400)
})

t.test('words of a search', async (t) => {
  const { ada, eve, add, ids } = await openScene(t)
  await add(ada, 'bert-base', 'license: mit')
  await add(eve, 'bert-large', 'license: mit')
  await add(eve, 'adapter', 'license: mit')
  t.same(await ids('?search=BERT'), ['eve/bert-large', 'ada/bert-base'])
  t.same(await ids('?search=ada'), ['eve/adapter', 'ada/bert-base'])
  t.same(await ids('?search=ada/bert'), ['ada/bert-base'])
  t.same(await ids('?search=da/b'), ['ada/bert-base'])
  t.same(await ids('?search=bert&search=large'), ['eve/bert-large'])
  t.same(await ids('?search=a/b/c'), [])
  t.same(await ids('?search=%25'), [])
  t.same(await ids('?search=b_rt'), [])
  t.same(await ids('?search=bert&filter=license:gpl'), [])
})

t.test('who sees what', async (t) => {
  const { hub, ada, eve, add, ids } = await openScene(t)
  const chief = await addPerson(hub, 'chief', { isAdmin: true })
  const repo = await add(ada, 'secret', 'license: mit', { visibility: 'private' })
  await add(ada, 'open', 'license: mit')
  for (const query of ['?', '?filter=license:mit&', '?search=secret&', '?sort=likes&']) {
    t.notOk((await ids(query)).includes('ada/secret'), `nobody ${query}`)
    t.notOk((await ids(query, eve)).includes('ada/secret'), `eve ${query}`)
    t.ok((await ids(query, ada)).includes('ada/secret'), `ada ${query}`)
    t.ok((await ids(query, chief)).includes('ada/secret'), `an administrator ${query}`)
  }
  await hub.database.query(
    `insert into collaborators (repo_id, user_id, role) select $1, id, 'read' from namespaces where name = 'eve'`,
    [repo.id],
  )
  t.ok((await ids('', eve)).includes('ada/secret'))
})

t.test('every sort, page by page, without a gap or a double', async (t) => {
  const { hub, ada, all, ids, get } = await openScene(t)
  const names = Array.from({ length: 7 }, (_, n) => `m${n}`)
  for (const name of names) await addRepo(hub, ada, name)
  const spread = (n: number) => `(substr(r.name, 2)::int * ${n}) % 4`
  await hub.database.query(
    `update repo_counts c set downloads = ${spread(3)}, likes = ${spread(2)}, trending = ${spread(1)}
     from repos r where r.id = c.repo_id`,
  )
  await hub.database.query(
    `update repo_metadata m set last_modified = now() - ${spread(3)} * interval '1.000001 second'
     from repos r where r.id = m.repo_id`,
  )
  for (const sort of ['createdAt', 'lastModified', 'downloads', 'likes', 'trendingScore']) {
    const whole = await ids(`?sort=${sort}`)
    t.equal(whole.length, 7)
    t.same(await all(`?sort=${sort}&limit=2`), whole, sort)
    t.same(await all(`?sort=${sort}&limit=3&direction=1`), whole.toReversed(), `${sort} upwards`)
  }
  t.same((await ids('?sort=downloads&limit=2')).toSorted(), ['ada/m1', 'ada/m5'])
  t.same(await ids('?sort=size'), 400)
  for (const cursor of ['x', 'WyJhIiwiMSJd', 'WzEsMl0', '%00']) t.same(await ids(`?cursor=${cursor}`), 400)
  t.equal((await get('/api/models?limit=0')).statusCode, 400)
})

t.test('what an entry tells', async (t) => {
  const { ada, add, get } = await openScene(t)
  await add(ada, 'one', 'license: mit\nwidget: [{ text: hi }]')
  const first = async (query: string) => (await get(`/api/models${query}`)).json()[0]
  const plain = await first('')
  t.match(plain, {
    _id: String,
    id: 'ada/one',
    likes: 0,
    downloads: 0,
    private: false,
    gated: false,
    tags: ['license:mit'],
  })
  t.notOk('siblings' in plain || 'cardData' in plain || 'sha' in plain || 'config' in plain)
  t.match(await first('?full=True'), { siblings: [{ rfilename: 'README.md' }], sha: /^[0-9a-f]{40}$/ })
  t.match(await first('?cardData=True'), { cardData: { license: 'mit' } })
  t.same(Object.keys(await first('?expand=downloadsAllTime&expand=widgetData')).sort(), [
    ...['_id', 'downloadsAllTime', 'id', 'modelId', 'widgetData'],
  ])
  t.equal((await get('/api/models?expand=nonsense')).statusCode, 400)
  t.equal((await get('/api/models?expand=sha&full=true')).statusCode, 400)
  await add(ada, 'app', 'sdk: static', { type: 'space' })
  t.match((await get('/api/spaces')).json(), [{ id: 'ada/app', sdk: 'static' }])
  t.match((await get('/api/datasets')).json(), [])
})

t.test('models by their size', async (t) => {
  const { hub, ada, add, ids } = await openScene(t)
  const repo = await add(ada, 'large', 'license: mit')
  await add(ada, 'unknown', 'license: mit')
  await hub.database.query('update repo_metadata set parameter_count = 7000000000 where repo_id = $1', [repo.id])
  t.same(await ids('?num_parameters=min:6B,max:10B'), ['ada/large'])
  t.same(await ids('?num_parameters=max:6.5B'), [])
  t.same(await ids('?num_parameters=many'), 400)
})

t.test('pages are bounded', async (t) => {
  const { hub, ada, get, all } = await openScene(t, {
    limits: { listPageMax: 3, listDetailedPageMax: 2, listFiltersMax: 2 },
  })
  for (const name of ['a', 'b', 'c', 'd', 'e']) await addRepo(hub, ada, name)
  t.equal((await get('/api/models?limit=100')).json().length, 3)
  t.equal((await get('/api/models?limit=100&full=true')).json().length, 2)
  t.equal((await all('?full=true')).length, 5)
  t.equal((await get('/api/models?filter=a&filter=b&search=c')).statusCode, 400)
})
