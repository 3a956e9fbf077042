/** Real git clients against a folder of repositories on disk. */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startFolderServer } from '../src/compose-folder.ts'
import { git, makeHistory, temporaryFolder, tryGit } from './support/git-client.ts'
import { openRaw } from './support/raw-http.ts'

async function serve(t: Test, options: { isReadOnly?: boolean } = {}) {
  const folder = temporaryFolder(t)
  const root = join(folder, 'root')
  mkdirSync(root)
  const path = join(root, 'team/model.git')
  makeHistory(path, { seed: 81, commits: 60 })
  const defects: unknown[] = []
  const onDefect = (error: unknown) => defects.push(error)
  const server = await startFolderServer(root, { host: '127.0.0.1', port: 0, isReadOnly: false, onDefect, ...options })
  t.teardown(server.close)
  return { folder, root, path, defects, url: server.url, remote: `${server.url}/team/model.git` }
}

const refsOf = (path: string) => git(path, 'for-each-ref', '--format=%(objectname) %(refname)')

for (const version of [0, 1, 2]) {
  t.test(`version ${version}: clone, push, fetch`, async (t) => {
    const { folder, path, remote, defects } = await serve(t)
    const protocol = ['-c', `protocol.version=${version}`]
    await git(folder, ...protocol, 'clone', '-q', '--mirror', remote, 'mirror.git')
    const mirror = join(folder, 'mirror.git')
    t.equal(await refsOf(mirror), await refsOf(path))
    await git(folder, ...protocol, 'clone', '-q', remote, 'work')
    const work = join(folder, 'work')
    // Larger than what git sends in one piece: a probe, then chunks.
    writeFileSync(
      join(work, 'big'),
      Array.from({ length: 40_000 }, (_, line) => `${line} ${Math.sin(line)}`).join('\n'),
    )
    await git(work, 'add', '-A')
    await git(work, 'commit', '-q', '-m', 'big')
    await git(work, '-c', 'http.postBuffer=65536', ...protocol, 'push', '-q', 'origin', 'HEAD:main', 'HEAD:new')
    t.equal(await git(path, 'rev-parse', 'main'), await git(work, 'rev-parse', 'HEAD'))
    await git(path, 'fsck', '--strict')
    await git(mirror, ...protocol, 'fetch', '-q', 'origin')
    t.equal(await refsOf(mirror), await refsOf(path))
    await git(mirror, 'fsck', '--strict')
    await git(work, 'push', '-q', 'origin', ':new')
    t.notMatch(await refsOf(path), 'heads/new')
    t.same(defects, [])
  })
}

t.test('paths are found with and without .git, in work trees, and as the root itself', async (t) => {
  const { root, path, url } = await serve(t)
  await git(root, 'clone', '-q', path, 'work')
  const tip = (await git(path, 'rev-parse', 'main')).slice(0, 40)
  for (const address of ['team/model.git', 'team/model', 'team/model.git/', 'work', 'work/.git', 'team%2Fmodel.git']) {
    t.match(await git(root, 'ls-remote', `${url}/${address}`, 'main'), tip, address)
  }
  const single = await startFolderServer(path, { host: 'localhost', port: 0, isReadOnly: true, onDefect: t.error })
  t.teardown(single.close)
  t.match(await git(root, 'ls-remote', single.url, 'main'), tip)
})

t.test('what lies outside the root is not served, whichever way it is asked for', async (t) => {
  const { folder, root, path, url } = await serve(t)
  makeHistory(join(folder, 'outside.git'), { seed: 82, commits: 3 })
  symlinkSync(join(folder, 'outside.git'), join(root, 'link.git'))
  symlinkSync(folder, join(root, 'up'))
  mkdirSync(join(root, 'file'))
  writeFileSync(join(root, 'file/.git'), `gitdir: ${folder}/outside.git\n`)
  symlinkSync(path, join(root, 'inner.git'))
  const get = async (target: string) => {
    const raw = openRaw(new URL(url))
    const query = 'info/refs?service=git-upload-pack'
    raw.write(`GET ${target}/${query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    return Number(/^HTTP\/1.1 (\d+)/.exec(await raw.rest())?.[1])
  }
  for (const target of ['/link.git', '/up/outside.git', '/file', '/absent', '/team'])
    t.equal(await get(target), 404, target)
  for (const target of ['/../outside.git', '/team/%2e%2e/%2e%2e/outside.git', '/..%2foutside.git', '/a%00b']) {
    t.equal(await get(target), 400, target)
  }
  t.equal(await get('/inner.git'), 200)
})

t.test('configuration and --read-only decide who may do what', async (t) => {
  const { folder, path, remote, url } = await serve(t)
  await git(folder, 'clone', '-q', remote, 'work')
  const work = join(folder, 'work')
  await git(work, 'commit', '-q', '--allow-empty', '-m', 'new')
  await git(path, 'config', 'http.receivepack', 'false')
  t.match((await tryGit(work, 'push', 'origin', 'HEAD:main')).stderr, /403|http.receivepack is false/)
  await git(path, 'config', 'http.receivepack', 'true')
  await git(work, 'push', '-q', 'origin', 'HEAD:main')
  await git(path, 'config', 'http.uploadpack', 'false')
  t.match((await tryGit(work, 'fetch', 'origin')).stderr, /http.uploadpack is false|403/)
  await git(path, 'config', 'core.repositoryformatversion', '7')
  t.match((await tryGit(work, 'ls-remote', `${url}/team/model.git`)).stderr, /format version 7|501/)
  const other = await serve(t, { isReadOnly: true })
  const refused = await tryGit(work, 'push', other.remote, 'HEAD:refs/heads/x')
  t.match(refused.stderr, /403|read-only/)
  t.match(await git(work, 'ls-remote', other.remote, 'main'), 'refs/heads/main')
})

t.test('requests that are not Git’s are refused clearly', async (t) => {
  const { url, remote } = await serve(t)
  const get = async (address: string, init?: RequestInit) => {
    const response = await fetch(address, init)
    return { status: response.status, text: await response.text() }
  }
  t.match(await get(url), { status: 403, text: /smart HTTP protocol of Git only/ })
  t.match(await get(`${remote}/info/refs`), { status: 403, text: /smart HTTP protocol only/ })
  t.match(await get(`${remote}/HEAD`), { status: 403 })
  t.match(await get(`${remote}/objects/info/packs`), { status: 403 })
  t.match(await get(`${remote}/git-upload-pack`, { method: 'POST', body: '0000' }), { status: 415 })
  t.match(await get(remote, { method: 'PUT', body: 'x' }), { status: 404 })
  t.match(await get(`${url}/absent/info/refs?service=git-upload-pack`), { status: 404, text: /no Git repository/ })
  const raw = openRaw(new URL(url))
  raw.write(
    'GET /team/model.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: page.example\r\nConnection: close\r\n\r\n',
  )
  t.match(await raw.rest(), /^HTTP\/1.1 403.*names of its own machine only/s)
})

t.test('a push that is announced is told to go on, and refused before its body', async (t) => {
  const { url, path } = await serve(t)
  const head = (address: string) =>
    `POST ${address}/git-receive-pack HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-git-receive-pack-request\r\n` +
    'Content-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n'
  const good = openRaw(new URL(url))
  good.write(head('/team/model.git'))
  await good.until(/100 Continue/)
  good.write('0000')
  t.match(await good.rest(), /HTTP\/1.1 200 OK/)
  t.ok(existsSync(path))
})

t.test('a folder or an address that cannot be had is said in a sentence', async (t) => {
  const { root, url } = await serve(t)
  const options = { host: '127.0.0.1', port: Number(new URL(url).port), isReadOnly: false, onDefect: t.error }
  await t.rejects(startFolderServer(root, options), { code: 'Conflict', message: /address already in use.*--port/ })
  await t.rejects(startFolderServer(join(root, 'absent'), options), {
    code: 'InputInvalid',
    message: /is not a folder/,
  })
})
