import t from 'tap'
import { openDoors, openHouse } from '../support/house.ts'

t.test('the document names the routes with their schemas', async (t) => {
  const server = await openDoors(t, await openHouse(t))
  const answer = await server.inject('/api/openapi.json')
  t.match(answer.headers['content-type'], /json/)
  const document = answer.json()
  t.equal(document.openapi, '3.1.0')
  const create = document.paths['/api/repos/create'].post
  t.match(create, { summary: /Create/, tags: ['api'], security: [{ bearer: [] }, { basic: [] }] })
  t.ok(create.requestBody.content['application/json'].schema.properties.organization)
  t.ok(create.responses['200'].content['application/json'].schema.properties.url)
  const tree = document.paths['/api/datasets/{namespace}/{repo}/tree/{wildcard}'].get
  t.match(
    tree.parameters.map(({ name, in: place }: { name: string; in: string }) => `${place} ${name}`),
    ['path namespace', 'path repo', 'path wildcard', 'query recursive'],
  )
  t.same(tree.security[0], {}, 'public repositories need no credentials')
  t.ok(document.paths['/{namespace}/{repo}/info/lfs/objects/batch'].post)
  t.notOk(document.paths['/{namespace}/{repo}/git-upload-pack'], 'Git has its own documents')
  for (const [path, methods] of Object.entries<Record<string, object>>(document.paths)) {
    t.notOk(methods.head, path)
    t.ok(Object.values(methods).length > 0)
  }
})
