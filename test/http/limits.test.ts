/** Limits as clients meet them: 429, when to come again, and the sentence that git prints. */
import { join } from 'node:path'
import t from 'tap'
import { run, temporaryFolder } from '../support/git.ts'
import { addPerson, addRepo, gitUrl, listen, openDoors, openHouse } from '../support/house.ts'
import { openRaw } from '../support/raw-http.ts'

t.test('so many requests a minute and no more, for each user and each address', async (t) => {
  const hub = await openHouse(t, { limits: { requestsPerMinuteMax: 3 } })
  const [ada, bob] = [await addPerson(hub, 'ada'), await addPerson(hub, 'bob')]
  const server = await openDoors(t, hub)
  const whoami = (person?: typeof ada, remoteAddress = '10.0.0.1') =>
    server.inject({ url: '/api/whoami-v2', headers: person?.headers, remoteAddress })
  for (let count = 0; count < 3; count++) t.equal((await whoami(ada)).statusCode, 200)
  const refused = await whoami(ada, '10.0.0.2')
  t.equal(refused.statusCode, 429)
  t.match(refused.json(), { error: /^More than 3 requests in a minute\. Try again in \d+ seconds\.$/ })
  t.ok(Number(refused.headers['retry-after']) > 50)
  t.equal((await whoami(bob)).statusCode, 200, 'the address of one is the address of another')

  const page = (remoteAddress: string) => server.inject({ url: '/', remoteAddress })
  for (let count = 0; count < 3; count++) t.equal((await page('10.0.0.3')).statusCode, 200)
  t.equal((await page('10.0.0.3')).statusCode, 429)
  t.equal((await page('10.0.0.4')).statusCode, 200)
  for (const url of ['/healthz', '/readyz', '/metrics']) {
    for (let count = 0; count < 4; count++) {
      t.equal((await server.inject({ url, remoteAddress: '10.0.0.3' })).statusCode, 200)
    }
  }
})

t.test('git prints why it is refused, and refs are listed all the same', async (t) => {
  const limits = {
    fetchesAtOnceMax: 1,
    pushesAtOnceMax: 1,
    transfersQueuedMax: 0,
    transfersQueuedPerCallerMax: 0,
    transferQueueTimeoutMs: 7_000,
  }
  const hub = await openHouse(t, { limits })
  const ada = await addPerson(hub, 'ada')
  await addRepo(hub, ada, 'model')
  const url = await listen(t, hub)
  const remote = gitUrl(url, ada, 'ada/model')
  const folder = join(temporaryFolder(t, 'limits'), 'work')
  const git = (...args: string[]) => run('git', args, { cwd: folder })
  t.equal((await run('git', ['clone', '-q', remote, folder])).status, 0)
  await git('commit', '--allow-empty', '-q', '-m', 'one')
  t.equal((await git('push', 'origin', 'HEAD:main')).status, 0, 'one push at a time')
  t.equal((await git('fetch', 'origin')).status, 0, 'one fetch at a time')

  // A push that stays: its client has announced more than it sends.
  const raw = openRaw(url)
  const head = `POST /ada/model/git-receive-pack HTTP/1.1\r\nhost: x\r\nauthorization: ${ada.headers.authorization}\r\n`
  raw.write(`${head}content-type: application/x-git-receive-pack-request\r\ncontent-length: 1000\r\n\r\n0094`)
  while (!(await metrics(url)).includes('holdfast_transfers{kind="pushes",state="running"} 1')) {}
  await git('commit', '--allow-empty', '-q', '-m', 'two')
  const refused = await git('push', 'origin', 'HEAD:main')
  t.not(refused.status, 0)
  t.match(refused.stderr, 'remote: Too many pushes at once. Try again in 7 seconds.')
  t.match(refused.stderr, '429')
  t.equal((await git('ls-remote', 'origin')).status, 0)
  t.equal((await git('fetch', 'origin')).status, 0)
  const post = await fetch(new URL('/ada/model/git-receive-pack', url), {
    method: 'POST',
    headers: { ...ada.headers, 'content-type': 'application/x-git-receive-pack-request' },
    body: '0000',
  })
  t.equal(post.status, 429)
  t.equal(post.headers.get('retry-after'), '7')
  t.match(await metrics(url), /holdfast_transfers_refused\{kind="pushes"\} 2/)

  raw.socket.destroy()
  while (!(await metrics(url)).includes('holdfast_transfers{kind="pushes",state="running"} 0')) {}
  t.equal((await git('push', 'origin', 'HEAD:main')).status, 0)
})

async function metrics(url: URL): Promise<string> {
  return await (await fetch(new URL('/metrics', url))).text()
}
