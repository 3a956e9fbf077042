import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { Hub } from '../../../src/hub/hub.ts'
import { describeRepository, git, run, temporaryFolder, tryGit } from '../../support/git.ts'
import { makeHistory } from '../../support/histories.ts'
import { addPerson, addRepo, gitUrl, listen, openDoors, openHouse } from '../../support/house.ts'
import { openRaw } from '../../support/raw-http.ts'

async function openModel(t: Test, options = {}) {
  const hub = await openHouse(t, options)
  const ada = await addPerson(hub, 'ada')
  const repo = await addRepo(hub, ada, 'model')
  return { hub, ada, repo }
}

const uploadPack = { 'content-type': 'application/x-git-upload-pack-request' }

t.test('advertisements', async (t) => {
  const { hub, ada } = await openModel(t)
  const server = await openDoors(t, hub)
  const refs = async (service: string, version?: string) => {
    const headers: Record<string, string> = { ...ada.headers }
    if (version !== undefined) headers['git-protocol'] = version
    return await server.inject({ url: `/ada/model/info/refs?service=${service}`, headers })
  }
  for (const service of ['git-upload-pack', 'git-receive-pack']) {
    const answer = await refs(service)
    t.equal(answer.statusCode, 200)
    t.equal(answer.headers['content-type'], `application/x-${service}-advertisement`)
    t.match(answer.headers['cache-control'], /no-cache/)
    t.ok(answer.headers['x-request-id'])
    t.match(answer.body, new RegExp(`^00..# service=${service}\n0000`))
  }
  t.match((await refs('git-upload-pack', 'version=2')).body, /^000eversion 2\n/)
  t.match((await refs('git-upload-pack', 'version=1:x')).body, /^001e# service=git-upload-pack\n0000000eversion 1\n/)
  t.notMatch((await refs('git-receive-pack', 'version=2')).body, /version 2/, 'push has no version 2')
  t.match((await refs('git-receive-pack', 'version=1')).body, /version 1\n/)
})

t.test('what is refused', async (t) => {
  const { hub, ada } = await openModel(t)
  const server = await openDoors(t, hub)
  const get = async (url: string) => (await server.inject({ url, headers: ada.headers })).statusCode
  t.equal(await get('/ada/model/info/refs'), 403, 'dumb clients')
  t.equal(await get('/ada/model/info/refs?service=git-upload-archive'), 403)
  t.equal(await get('/ada/model/info/refs?service=git-upload-pack&service=git-upload-pack'), 403)
  t.equal(await get('/ada/model/objects/info/packs'), 404)
  const post = (headers: Record<string, string>, payload: string | Buffer = '0000') =>
    server.inject({ method: 'POST', url: '/ada/model.git/git-upload-pack', headers, payload })
  t.equal((await post(uploadPack)).statusCode, 200)
  t.equal((await post({ 'content-type': 'text/plain' })).statusCode, 415)
  t.equal((await post({ ...uploadPack, 'content-encoding': 'br' })).statusCode, 415)
  t.match((await post({ ...uploadPack, 'content-encoding': 'gzip' }, 'no gzip')).body, /ERR /)
  const gzipped = await post({ ...uploadPack, 'content-encoding': 'gzip' }, gzipSync('0000'))
  t.equal(gzipped.statusCode, 200)
  const challenge = await server.inject({ url: '/ada/absent/info/refs?service=git-upload-pack' })
  t.equal(challenge.statusCode, 401)
  t.match(challenge.headers['www-authenticate'], /^Basic realm=/)
  t.match(challenge.headers['content-type'], /^text\/plain/)
})

t.test('a gzip bomb', async (t) => {
  const { hub } = await openModel(t, { limits: { gitRequestInflatedMaxBytes: 1_000 } })
  const server = await openDoors(t, hub)
  const payload = gzipSync('0011want nothing\n'.repeat(10_000))
  const headers = { ...uploadPack, 'content-encoding': 'gzip' }
  const answer = await server.inject({ method: 'POST', url: '/ada/model/git-upload-pack', headers, payload })
  t.not(answer.statusCode, 500)
  t.ok(answer.statusCode === 413 || /ERR|too/.test(answer.body), answer.body)
})

t.test('the probe before a large push', async (t) => {
  const { hub, ada } = await openModel(t)
  const server = await openDoors(t, hub)
  const probe = (headers: Record<string, string>) => {
    const type = { 'content-type': 'application/x-git-receive-pack-request' }
    const url = '/ada/model/git-receive-pack'
    return server.inject({ method: 'POST', url, headers: { ...type, ...headers }, payload: '0000' })
  }
  t.equal((await probe({})).statusCode, 401)
  const answer = await probe(ada.headers)
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['content-type'], 'application/x-git-receive-pack-result')
})

t.test('push, clone, fetch with git itself', async (t) => {
  const { hub, ada } = await openModel(t)
  const server = await listen(t, hub)
  const folder = temporaryFolder(t)
  const source = await makeHistory(join(folder, 'source.git'), 'tags')
  await git(source, 'push', '-q', '--mirror', gitUrl(server, ada, 'ada/model'))
  for (const version of ['0', '1', '2']) {
    const clone = join(folder, `clone-${version}.git`)
    await git(
      folder,
      '-c',
      `protocol.version=${version}`,
      'clone',
      '-q',
      '--mirror',
      gitUrl(server, undefined, 'ada/model.git'),
      clone,
    )
    t.same(await describeRepository(clone), await describeRepository(source), `version ${version}`)
    await git(clone, 'fsck', '--strict')
  }
  const old = await run('curl', ['-sS0', `${server.href}ada/model/info/refs?service=git-upload-pack`])
  t.match(old.stdout, /refs\/heads\/main/, 'HTTP/1.0')
})

t.test('a push of several MiB comes in chunks, behind a probe', async (t) => {
  const { hub, ada } = await openModel(t)
  const server = await listen(t, hub)
  const work = temporaryFolder(t)
  await git(work, 'init', '-q')
  await run('sh', ['-c', 'head -c 3000000 /dev/urandom > big.dat'], { cwd: work })
  await git(work, 'add', '.')
  await git(work, 'commit', '-qm', 'Big')
  await git(work, 'push', '-q', gitUrl(server, ada, 'ada/model'), 'main')
  t.match(await git(work, 'ls-remote', gitUrl(server, undefined, 'ada/model')), /refs\/heads\/main/)
  const refused = await tryGit(work, 'push', gitUrl(server, undefined, 'ada/model'), 'main:other')
  t.not(refused.status, 0)
})

async function refCount(hub: Hub): Promise<number> {
  return (await hub.database.query('select from refs')).length
}

t.test('a push that ends too early changes nothing', async (t) => {
  const { hub, ada } = await openModel(t)
  const server = await listen(t, hub)
  const head = (length: string) =>
    [
      'POST /ada/model/git-receive-pack HTTP/1.1',
      'Host: hub',
      `Authorization: ${ada.headers.authorization}`,
      'Content-Type: application/x-git-receive-pack-request',
      `${length}\r\n\r\n`,
    ].join('\r\n')
  const work = temporaryFolder(t)
  await git(work, 'init', '-q')
  await git(work, 'commit', '-q', '--allow-empty', '-m', 'One')
  const id = await git(work, 'rev-parse', 'HEAD')
  const line = `${'0'.repeat(40)} ${id} refs/heads/main\0 report-status`
  const command = `${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`
  const pack = await run('sh', ['-c', 'git rev-parse HEAD | git pack-objects -q --revs --stdout | base64 -w0'], {
    cwd: work,
  })
  const body = Buffer.concat([Buffer.from(command), Buffer.from(pack.stdout, 'base64')])

  const short = openRaw(server)
  short.write(head(`Content-Length: ${body.length}`))
  short.write(body.subarray(0, -10))
  short.socket.end()
  await short.rest()
  t.equal(await refCount(hub), 0, 'shorter than Content-Length')

  const cut = openRaw(server)
  cut.write(head('Transfer-Encoding: chunked'))
  cut.write(`${body.length.toString(16)}\r\n`)
  cut.write(body)
  cut.socket.end()
  await cut.rest()
  t.equal(await refCount(hub), 0, 'chunks without an end')

  const lost = openRaw(server)
  lost.write(head(`Content-Length: ${body.length - 10}`))
  lost.write(body.subarray(0, -10))
  await lost.until(/unpack|HTTP\/1\.1 [245]/)
  lost.socket.destroy()
  t.equal(await refCount(hub), 0, 'a pack without its end')

  const whole = openRaw(server)
  whole.write(head(`Content-Length: ${body.length}`))
  whole.write(body)
  t.match(await whole.until(/refs\/heads\/main/), /unpack ok.*ok refs/s)
  whole.socket.destroy()
  t.equal(await refCount(hub), 1)
})

t.test('a client that leaves during a push', async (t) => {
  const { hub, ada } = await openModel(t)
  const server = await listen(t, hub)
  const leaving = openRaw(server)
  leaving.write(
    [
      'POST /ada/model/git-receive-pack HTTP/1.1',
      'Host: hub',
      `Authorization: ${ada.headers.authorization}`,
      'Content-Type: application/x-git-receive-pack-request',
      'Expect: 100-continue',
      'Content-Length: 1000000\r\n\r\n',
    ].join('\r\n'),
  )
  await leaving.until(/100 Continue/)
  leaving.write(randomBytes(1_000))
  leaving.socket.destroy()
  t.equal(await refCount(hub), 0)
})
