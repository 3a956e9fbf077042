import t, { type Test } from 'tap'
import { addPerson, addRepo, openDoors, openHouse, type Person } from '../../support/house.ts'

async function openScene(t: Test) {
  const hub = await openHouse(t, { limits: { listPageMax: 2 } })
  hub.config.publicUrl = 'http://hub.example'
  const people = [await addPerson(hub, 'ada'), await addPerson(hub, 'eve'), await addPerson(hub, 'bob')]
  const server = await openDoors(t, hub)
  const call = (who: Person | undefined, method: 'GET' | 'POST' | 'DELETE', url: string) =>
    server.inject({ method, url, headers: who?.headers })
  const pages = async (url: string, who?: Person) => {
    const found = []
    for (let next: string | undefined = url; next !== undefined; ) {
      const answer: Awaited<ReturnType<typeof call>> = await call(who, 'GET', next)
      found.push(...answer.json())
      next = /^<http:\/\/hub\.example(.*)>; rel="next"$/.exec(String(answer.headers.link ?? ''))?.[1]
    }
    return found
  }
  return { hub, people, call, pages }
}

t.test('given once, taken back once', async (t) => {
  const { hub, people, call } = await openScene(t)
  const [ada, eve] = people
  await addRepo(hub, ada, 'one', { type: 'dataset' })
  const likes = async () => (await call(undefined, 'GET', '/api/datasets/ada/one')).json().likes
  for (let time = 0; time < 2; time++) {
    t.equal((await call(eve, 'POST', '/api/datasets/ada/one/like')).statusCode, 200)
    t.equal(await likes(), 1)
  }
  await call(ada, 'POST', '/api/datasets/ada/one/like')
  t.equal(await likes(), 2)
  t.equal((await call(undefined, 'GET', '/api/datasets?expand=trendingScore')).json()[0].trendingScore, 2)
  for (let time = 0; time < 2; time++) await call(eve, 'DELETE', '/api/datasets/ada/one/like')
  t.equal(await likes(), 1)
})

t.test('who may', async (t) => {
  const { hub, people, call } = await openScene(t)
  const [ada, eve] = people
  await addRepo(hub, ada, 'open')
  await addRepo(hub, ada, 'secret', { visibility: 'private' })
  t.equal((await call(undefined, 'POST', '/api/models/ada/open/like')).statusCode, 401)
  t.equal((await call(eve, 'POST', '/api/models/ada/secret/like')).statusCode, 404)
  const reader = await addPerson(hub, 'reader', { role: 'read' })
  for (const method of ['POST', 'DELETE'] as const) {
    t.match((await call(reader, method, '/api/models/ada/open/like')).json(), { error: /token of the role write/ })
  }
  t.equal((await call(ada, 'POST', '/api/models/ada/secret/like')).statusCode, 200)
  await call(ada, 'POST', '/api/models/ada/open/like')
  const liked = async (who?: Person) =>
    (await call(who, 'GET', '/api/users/ada/likes')).json().map(({ repo }: { repo: { name: string } }) => repo.name)
  t.same(await liked(ada), ['ada/open', 'ada/secret'])
  t.same(await liked(eve), ['ada/open'])
  t.same(await liked(), ['ada/open'])
  t.equal((await call(undefined, 'GET', '/api/users/nobody/likes')).statusCode, 404)
})

t.test('pages', async (t) => {
  const { hub, people, call, pages } = await openScene(t)
  const names = ['a', 'b', 'c', 'd', 'e']
  for (const name of names) {
    await addRepo(hub, people[0], name)
    await call(people[1], 'POST', `/api/models/ada/${name}/like`)
  }
  const liked = await pages('/api/users/eve/likes')
  t.match(liked[0], { createdAt: /Z$/, repo: { name: 'ada/e', type: 'model' } })
  t.same(
    liked.map(({ repo }) => repo.name),
    names.map((name) => `ada/${name}`).toReversed(),
  )
  for (const person of people) await call(person, 'POST', '/api/models/ada/a/like')
  const likers = await pages('/api/models/ada/a/likers')
  t.same(
    likers.map(({ user }) => user),
    ['ada', 'eve', 'bob'],
  )
  t.match(likers[0], { user: 'ada', fullname: 'ada', avatarUrl: '' })
  t.equal((await call(undefined, 'GET', '/api/models/ada/a/likers?cursor=x')).statusCode, 400)
  t.equal((await call(undefined, 'GET', '/api/users/eve/likes?cursor=x')).statusCode, 400)
})
