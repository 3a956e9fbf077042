/** Git over HTTP, case by case: groups 1 to 12, as far as routes.test.ts, expect-continue.test.ts and limits.test.ts leave them. */
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { addPerson, addRepo, listen, openDoors, openHouse } from '../../support/house.ts'
import { makeCommit, makeTree } from '../../support/objects.ts'
import { pushObjects } from '../../support/push-objects.ts'
import { openRaw } from '../../support/raw-http.ts'

const tree = makeTree()
const commit = makeCommit(tree)

async function openModels(t: Test) {
  const hub = await openHouse(t)
  const [ada, bob] = [await addPerson(hub, 'ada'), await addPerson(hub, 'bob')]
  const repo = await addRepo(hub, ada, 'model')
  await pushObjects(hub, repo, { 'refs/heads/main': [undefined, commit.id] }, [tree, commit])
  await addRepo(hub, ada, 'secret', { visibility: 'private' })
  return { hub, ada, bob }
}

const query = 'info/refs?service=git-upload-pack'

t.test('group 1: addresses', async (t) => {
  const { hub } = await openModels(t)
  const server = await listen(t, hub)
  const statusOf = async (path: string) => {
    const raw = openRaw(server)
    raw.write(`GET ${path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n`)
    return Number(/^HTTP\/1\.1 (\d+)/.exec(await raw.rest())?.[1])
  }
  for (const path of ['/ada/model', '/ada/model.git', '/ada/%6Dodel', '/ADA/Model'])
    t.equal(await statusOf(`${path}/${query}`), 200, path)
  for (const path of ['/ada/model.git.git', '/ada/none', '/datasets/ada/model'])
    t.equal(await statusOf(`${path}/${query}`), 401, path)
  for (const path of [
    '/ada/../ada/model',
    '/ada/%2e%2e/ada/model',
    '/ada/model/..',
    '/ada/mo%00del',
    '/ada/..%2fmodel',
    '/ada%2fmodel',
    '//ada/model',
  ]) {
    t.ok([400, 404].includes(await statusOf(`${path}/${query}`)), path)
  }
})

t.test('groups 2 to 5: types, versions, caching', async (t) => {
  const { hub } = await openModels(t)
  const server = await openDoors(t, hub)
  const bodyOf = async (version: string) => {
    const answer = await server.inject({
      url: `/ada/model/${query}`,
      headers: { 'git-protocol': version, 'accept-encoding': 'gzip' },
    })
    t.equal(answer.headers['content-type'], 'application/x-git-upload-pack-advertisement')
    t.match(answer.headers['cache-control'], 'no-cache')
    t.equal(answer.headers['content-encoding'], undefined)
    return answer.body
  }
  for (const version of ['version=2', 'version=2:unknown=x', 'version=0:version=1:version=2', 'version=1, version=2']) {
    t.match(await bodyOf(version), /^000eversion 2\n/, version)
  }
  t.match(await bodyOf('version=1'), /^001e# service=git-upload-pack\n0000000eversion 1\n/)
  for (const version of ['version=0', 'version=3', 'colour=red', '']) {
    t.match(await bodyOf(version), /^001e# service=git-upload-pack\n0000[0-9a-f]{44} HEAD\0/, version)
  }
})

t.test('group 6: a request is taken as it is, or gzipped', async (t) => {
  const { hub } = await openModels(t)
  const server = await openDoors(t, hub)
  const request = `0032want ${commit.id}\n00000009done\n`
  for (const [encoding, payload] of [
    ['identity', Buffer.from(request)],
    ['gzip', gzipSync(request)],
    ['x-gzip', gzipSync(request)],
  ] as const) {
    const headers = { 'content-type': 'application/x-git-upload-pack-request', 'content-encoding': encoding }
    const answer = await server.inject({ method: 'POST', url: '/ada/model/git-upload-pack', headers, payload })
    t.equal(answer.headers['content-type'], 'application/x-git-upload-pack-result')
    t.match(answer.body, /^0008NAK\nPACK/, encoding)
  }
})

t.test('group 10: who may read what, and who is asked to sign in', async (t) => {
  const { hub, ada, bob } = await openModels(t)
  const server = await openDoors(t, hub)
  const basic = (name: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
  })
  const ask = async (path: string, headers: Record<string, string>) => {
    const { statusCode, headers: told } = await server.inject({ url: path, headers })
    return `${statusCode}${told['www-authenticate'] === undefined ? '' : ' Basic'}`
  }
  for (const name of ['secret', 'none']) {
    t.equal(await ask(`/ada/${name}/${query}`, {}), '401 Basic', `${name}: anonymous`)
    t.equal(await ask(`/ada/${name}/${query}`, bob.headers), '404', `${name}: a stranger`)
  }
  for (const headers of [ada.headers, basic('ada', ada.token), basic('', ada.token), basic('x-token', ada.token)]) {
    t.equal(await ask(`/ada/secret/${query}`, headers), '200', JSON.stringify(headers).slice(0, 20))
  }
  for (const headers of [basic('ada', 'wrong'), { authorization: 'Bearer hf_wrong' }]) {
    t.equal(await ask(`/ada/model/${query}`, headers), '401 Basic', 'wrong credentials are no anonymity')
  }
  const push = '/ada/model/info/refs?service=git-receive-pack'
  t.equal(await ask(push, {}), '401 Basic')
  t.equal(await ask(push, bob.headers), '403')
  t.equal(await ask(push, ada.headers), '200')
})

t.test('groups 9 and 11: connections, and bodies that are longer than they say', async (t) => {
  const { hub } = await openModels(t)
  const server = await listen(t, hub)
  const body = `0032want ${commit.id}\n00000009done\n`
  const post = (version: string, connection: string, extra = '') =>
    `POST /ada/model/git-upload-pack HTTP/${version}\r\nHost: hub\r\nContent-Type: application/x-git-upload-pack-request\r\n` +
    `Content-Length: ${body.length}\r\n${connection}\r\n${body}${extra}`
  const old = openRaw(server)
  old.write(post('1.0', ''))
  const oldAnswer = await old.rest()
  t.match(oldAnswer, /^HTTP\/1\.1 200 OK/)
  t.match(oldAnswer, '0008NAK\nPACK')
  t.notMatch(oldAnswer, /transfer-encoding: chunked/i)
  const closing = openRaw(server)
  closing.write(post('1.1', 'Connection: close\r\n'))
  t.match(await closing.rest(), /connection: close[\s\S]*PACK/i)
  const kept = openRaw(server)
  for (let count = 1; count <= 3; count++) {
    kept.write(post('1.1', ''))
    await kept.until(new RegExp(`(PACK[\\s\\S]*){${count}}`))
  }
  kept.socket.destroy()
  const long = openRaw(server)
  long.write(post('1.1', '', 'and more'))
  t.match(await long.rest(), /HTTP\/1\.1 400 Bad Request/, 'what follows is no request')
})

t.test('group 12: a client that leaves in the middle of a fetch', async (t) => {
  const { hub } = await openModels(t)
  const server = await listen(t, hub)
  const leaving = openRaw(server)
  leaving.write(
    'POST /ada/model/git-upload-pack HTTP/1.1\r\nHost: hub\r\nContent-Type: application/x-git-upload-pack-request\r\n',
  )
  leaving.write(`Content-Length: 1000\r\n\r\n0032want ${commit.id}\n`)
  leaving.socket.destroy()
  t.equal((await fetch(new URL(`/ada/model/${query}`, server))).status, 200)
})
