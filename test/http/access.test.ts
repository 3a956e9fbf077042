import { type FastifyInstance, fastify, type RouteOptions } from 'fastify'
import t from 'tap'
import { decideAccessOnRoutes } from '../../src/http/access.ts'
import { createServer } from '../../src/http/server.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { addPerson, addRepo, openHouse, type Person } from '../support/house.ts'

t.test('a route that declares no access refuses to boot', async (t) => {
  const open = () => {
    const server = fastify()
    decideAccessOnRoutes(server, {} as Hub)
    return server
  }
  t.throws(() => open().get('/secrets', async () => 'all of them'), /GET \/secrets declares no access/)
  t.throws(() => open().get('/x', { config: { access: 'read' } }, async () => ''), /names no repository/)
  t.doesNotThrow(() => open().get('/open', { config: { access: 'public' } }, async () => ''))
})

interface Walk {
  hub: Hub
  server: FastifyInstance
  routes: RouteOptions[]
}

async function walk(t: Parameters<typeof openHouse>[0]): Promise<Walk> {
  const hub = await openHouse(t)
  const server = createServer(hub)
  const routes: RouteOptions[] = []
  server.addHook('onRoute', (route) => {
    routes.push(route)
  })
  await server.ready()
  t.teardown(() => server.close())
  return { hub, server, routes }
}

t.test('what is open to everybody, or to whoever holds a signed link', async (t) => {
  const { routes } = await walk(t)
  const open = routes
    .filter(
      ({ config }) =>
        config?.access === 'public' || (config?.repoType === undefined && typeof config?.access === 'function'),
    )
    .map((route) => route.url)
  t.same(open.sort(), [
    '/',
    '/*',
    '/api/bytes/lfs/objects/:name',
    '/api/bytes/lfs/uploads/:uploadId',
    '/api/bytes/lfs/uploads/:uploadId/complete',
    '/api/bytes/lfs/uploads/:uploadId/parts/:part',
    '/api/bytes/lfs/uploads/:uploadId/verify',
    '/api/bytes/packs/:repoId/:name',
    '/api/datasets',
    '/api/models',
    '/api/openapi.json',
    '/api/organizations/:name/overview',
    '/api/spaces',
    '/api/users/:name/overview',
    '/api/users/:user/likes',
    '/api/validate-yaml',
    '/healthz',
    '/metrics',
    '/readyz',
    '/style.css',
  ])
})

t.test('a private repository answers as a missing one, on every route', async (t) => {
  const { hub, server, routes } = await walk(t)
  const [ada, eve] = [await addPerson(hub, 'ada'), await addPerson(hub, 'eve')]
  for (const type of ['model', 'dataset', 'space'] as const) {
    await addRepo(hub, ada, 'closed', { type, visibility: 'private' })
  }
  const ofRepos = routes.filter((route) => route.config?.repoType !== undefined)
  t.ok(ofRepos.length >= 36, `${ofRepos.length} routes`)
  for (const route of ofRepos) {
    for (const method of [route.method].flat()) {
      for (const [who, status] of [
        [undefined, 401],
        [eve, 404],
      ] as const) {
        const asked = `${method} ${route.url} by ${who?.name ?? 'nobody'}`
        const [closed, absent] = await Promise.all([
          ask(server, method, route.url, 'closed', who),
          ask(server, method, route.url, 'absent', who),
        ])
        t.equal(closed.statusCode, status, asked)
        t.same(closed, absent, asked)
      }
    }
  }
})

async function ask(server: FastifyInstance, method: string, route: string, repo: string, who: Person | undefined) {
  const url = route
    .replace(':namespace', 'ada')
    .replace(':repo', repo)
    .replace(':lockId', '5f1f2f3f-0000-4000-8000-000000000000')
    .replace('*', 'main/README.md')
    .replace('/info/refs', '/info/refs?service=git-receive-pack')
  const answer = await server.inject({ method: method as 'GET', url, headers: who?.headers })
  const { 'x-request-id': requestId, date: _date, ...headers } = answer.headers
  const neutral = (text: string) => text.replaceAll(String(requestId), 'id').replaceAll(repo, 'name')
  return {
    statusCode: answer.statusCode,
    headers: JSON.parse(neutral(JSON.stringify(headers))),
    body: neutral(answer.body),
  }
}

t.test('who may what', async (t) => {
  const { hub, server } = await walk(t)
  const [ada, eve] = [await addPerson(hub, 'ada'), await addPerson(hub, 'eve')]
  const reader = await addPerson(hub, 'reader', { role: 'read' })
  await addRepo(hub, ada, 'open')
  await addRepo(hub, reader, 'own')
  const fetch = '/ada/open/info/refs?service=git-upload-pack'
  const push = '/ada/open/info/refs?service=git-receive-pack'
  const status = async (url: string, who: Person | undefined) =>
    (await server.inject({ url, headers: who?.headers })).statusCode
  t.equal(await status(fetch, undefined), 200)
  t.equal(await status(push, undefined), 401)
  t.equal(await status(push, eve), 403)
  t.equal(await status(push, ada), 200)
  t.equal(await status('/reader/own/info/refs?service=git-receive-pack', reader), 403, 'a token of the role read')
  t.equal(await status('/Ada/OPEN.git/info/refs?service=git-upload-pack', undefined), 200, 'whatever the case')
  t.equal(await status('/datasets/ada/open/info/refs?service=git-upload-pack', ada), 404, 'of another type')
})
