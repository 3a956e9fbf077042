import t from 'tap'
import { openDoors, openHouse } from '../../support/house.ts'

t.test('cards are judged before they are uploaded, always in JSON', async (t) => {
  const server = await openDoors(t, await openHouse(t))
  const judge = async (content: string) => {
    const answer = await server.inject({
      method: 'POST',
      url: '/api/validate-yaml',
      payload: { content, repoType: 'model' },
    })
    return [answer.statusCode, answer.json()]
  }
  t.same(await judge('---\nlicense: mit\n---\n'), [200, { errors: [], warnings: [] }])
  const [status, { warnings }] = await judge('# No metadata\n')
  t.same([status, warnings], [200, [{ message: 'empty or missing yaml metadata in repo card' }]])
  t.match(await judge('---\nlicense: [mit\n---\n'), [400, { errors: [{ message: /not valid YAML/ }], warnings: [] }])
  t.match(await judge('---\npipeline_tag: []\n---\n'), [
    400,
    { errors: [{ message: '"pipeline_tag" must be a string' }] },
  ])
  const large = `---\ntags:\n${'- tag\n'.repeat(50_000)}---\n`
  t.match(await judge(large), [200, { errors: [] }])
  for (const payload of ['{', '[]', '{}', '{"content": {}}']) {
    const headers = { 'content-type': 'application/json' }
    const answer = await server.inject({ method: 'POST', url: '/api/validate-yaml', headers, payload })
    t.equal(answer.statusCode, 400)
    t.ok(answer.json().error)
  }
})
