import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { git, temporaryFolder } from '../../support/git.ts'
import { addPerson, addRepo, gitUrl, listen, openDoors, openHouse } from '../../support/house.ts'

async function openPaths(t: Test) {
  const hub = await openHouse(t, { limits: { pathsInfoMax: 5 } })
  const ada = await addPerson(hub, 'ada')
  await addRepo(hub, ada, 'bert')
  const work = temporaryFolder(t)
  await git(work, 'init', '-q')
  await mkdir(join(work, 'a/b'), { recursive: true })
  await writeFile(join(work, 'a/b/c d.txt'), 'x\n')
  await git(work, 'add', '.')
  await git(work, 'commit', '-qm', 'One\n\nmore')
  await git(work, 'branch', 'feature/x')
  await git(work, 'push', '-q', gitUrl(await listen(t, hub), ada, 'ada/bert'), 'main', 'feature/x')
  const server = await openDoors(t, hub)
  const post = (revision: string, payload: object | string, type = 'application/json') =>
    server.inject({
      method: 'POST',
      url: `/api/models/ada/bert/paths-info/${revision}`,
      headers: { 'content-type': type },
      payload,
    })
  return { post, work, commitId: await git(work, 'rev-parse', 'main') }
}

const form = 'application/x-www-form-urlencoded'

t.test('as JSON and as a form; what is missing is left out', async (t) => {
  const { post, work, commitId } = await openPaths(t)
  const expected = [
    { type: 'directory', oid: await git(work, 'rev-parse', 'main:a'), size: 0, path: 'a' },
    { type: 'file', oid: await git(work, 'rev-parse', 'main:a/b/c d.txt'), size: 2, path: 'a/b/c d.txt' },
  ]
  const paths = ['a/', 'absent', '', 'a/b/c d.txt', 'a/b/c d.txt/x']
  for (const revision of ['main', 'feature%2Fx', 'feature/x', commitId, 'HEAD']) {
    const answer = await post(revision, { paths })
    t.same(answer.json(), expected, revision)
    t.equal(answer.headers['x-repo-commit'], commitId)
  }
  const fields = new URLSearchParams([...paths.map((path): [string, string] => ['paths', path]), ['expand', 'False']])
  t.same((await post('main', fields.toString(), form)).json(), expected)
  t.same((await post('main', 'paths=a&expand=false', form)).json(), expected.slice(0, 1), 'one path')
  t.same((await post('main', { paths: [] })).json(), [])
})

t.test('with last commits', async (t) => {
  const { post, commitId } = await openPaths(t)
  for (const answer of [
    await post('main', { paths: ['a/b'], expand: true }),
    await post('main', 'paths=a%2Fb&expand=True', form),
  ]) {
    t.match(answer.json(), [{ path: 'a/b', lastCommit: { id: commitId, title: 'One', date: /Z$/ } }])
  }
})

t.test('too many, none, a wrong revision', async (t) => {
  const { post } = await openPaths(t)
  const many = await post('main', { paths: ['1', '2', '3', '4', '5', '6'] })
  t.equal(many.statusCode, 413)
  t.match(many.json(), { error: /At most 5 paths/ })
  t.equal((await post('main', { paths: ['1', '2', '3', '4', '5'] })).statusCode, 200)
  t.equal((await post('main', {})).statusCode, 400)
  t.equal((await post('main', { paths: [{ path: 'a' }] })).statusCode, 400)
  t.match((await post('absent', { paths: ['a'] })).headers, { 'x-error-code': 'RevisionNotFound' })
})

t.test('a path of slashes takes no longer than any other', async (t) => {
  const { post } = await openPaths(t)
  const cpuAtStart = process.cpuUsage()
  t.match((await post('main', { paths: [`${'/'.repeat(500_000)}a//`] })).json(), [{ path: 'a' }])
  t.equal((await post('main', { paths: [`a${'/'.repeat(500_000)}a`] })).statusCode, 413)
  const { user } = process.cpuUsage(cpuAtStart)
  t.ok(user < 5_000_000, `${user / 1000} ms of processor time`)
})

t.test('a form of many names takes no longer than its length', async (t) => {
  const { post } = await openPaths(t)
  const cpuAtStart = process.cpuUsage()
  const names = Array.from({ length: 200_000 }, (_, index) => `n${index}=`)
  t.match((await post('main', ['paths=a', ...names].join('&'), form)).json(), [{ path: 'a' }])
  const { user } = process.cpuUsage(cpuAtStart)
  t.ok(user < 5_000_000, `${user / 1000} ms of processor time`)
})
