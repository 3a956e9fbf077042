/** Limits as clients meet them: 429, when to come again, and the sentence that git prints. */
import { join } from 'node:path'
import t from 'tap'
import { run, temporaryFolder } from '../support/git.ts'
import { addPerson, addRepo, gitUrl, listen, openHouse } from '../support/house.ts'
import { openRaw } from '../support/raw-http.ts'

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
