import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { file, header, openCommitScene } from '../../support/commit-scene.ts'
import { git, gitEnvironment, run } from '../../support/git.ts'
import { gitUrl } from '../../support/house.ts'

const environment = gitEnvironment()

interface Listed {
  id: string
  title: string
  message: string
  date: string
  authors: { user: string }[]
  formatted?: { title: string; message: string }
}

t.test('the history is that of git log, page by page', async (t) => {
  const { commit, clone, address, ada, call, api } = await openCommitScene(t)
  await commit([header('<One> & "two"', { description: 'First\n\nSecond <b>' }), file('a')])
  const folder = await clone()
  // A merge, and dates that differ.
  const future = Math.floor(Date.now() / 1000) + 100
  const gitAt = async (seconds: number, ...args: string[]) => {
    const env = { ...environment, GIT_COMMITTER_DATE: `@${seconds} +0200`, GIT_AUTHOR_DATE: `@${seconds} +0200` }
    t.equal((await run('git', args, { cwd: folder, env })).status, 0)
  }
  const commitAt = (message: string, seconds: number) => gitAt(seconds, 'commit', '--allow-empty', '-qm', message)
  await git(folder, 'checkout', '-qb', 'side')
  await commitAt('side 1', future + 10)
  await commitAt('side 2', future + 30)
  await git(folder, 'checkout', '-q', 'main')
  await commitAt('main 1', future + 20)
  await gitAt(future + 40, 'merge', '-q', '--no-ff', '-m', 'merged', 'side')
  await git(folder, 'push', '-q', gitUrl(address, ada, 'ada/model'), 'main')
  const expected = (await git(folder, 'log', '--format=%H')).split('\n')

  const all = await call(undefined, 'GET', `${api}/commits/main`)
  t.equal(all.headers.get('x-total-count'), String(expected.length))
  t.equal(all.headers.get('link'), null)
  const list = all.body as unknown as Listed[]
  t.same(
    list.map(({ id }) => id),
    expected,
  )
  t.match(list.at(-2), {
    title: '<One> & "two"',
    message: 'First\n\nSecond <b>',
    authors: [{ user: 'ada' }],
    date: /Z$/,
  })
  t.equal(list.at(-2)?.formatted, undefined)
  t.match(list.at(-1), { title: 'initial commit', message: '' })

  const found: string[] = []
  let url: string | undefined = `${api}/commits/main?limit=2&expand[]=formatted`
  while (url !== undefined) {
    const { headers, body } = await call(undefined, 'GET', url)
    const page = body as unknown as Listed[]
    found.push(...page.map(({ id }) => id))
    t.equal(headers.get('x-total-count'), String(expected.length))
    url = /<(.*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1]
    if (found.length === 2) await commit([header(), file('meanwhile')])
    if (url === undefined)
      t.equal(
        page.every(({ formatted }) => formatted !== undefined),
        true,
      )
  }
  t.same(found, expected, 'a branch that moves does not mix the pages')
  const formatted = (await call(undefined, 'GET', `${api}/commits/${expected.at(-2)}?expand=formatted`)).body
  t.match((formatted as unknown as Listed[])[0].formatted, {
    title: '&lt;One&gt; &amp; &quot;two&quot;',
    message: '<p>First</p>\n<p>Second &lt;b&gt;</p>',
  })
  t.same((await call(undefined, 'GET', `${api}/commits/main?p=1000`)).body, [])
  t.equal((await call(undefined, 'GET', `${api}/commits/absent`)).headers.get('x-error-code'), 'RevisionNotFound')
  t.equal((await call(undefined, 'GET', `${api}/commits/main?p=-1`)).status, 400)
})

t.test('of a message without end its beginning is listed', async (t) => {
  const { clone, address, ada, call, api, hub } = await openCommitScene(t)
  const folder = await clone()
  const long = ['commit', '--allow-empty', '-q', '-F', '-']
  const message = `${'t'.repeat(40_000)}\n\n${'m'.repeat(40_000)}\n`
  t.equal((await run('git', long, { cwd: folder, env: environment, stdin: message })).status, 0)
  await writeFile(join(folder, 'a'), 'a')
  await git(folder, 'add', 'a')
  t.equal((await run('git', long, { cwd: folder, env: environment, stdin: message })).status, 0)
  await git(folder, 'push', '-q', gitUrl(address, ada, 'ada/model'), 'main')
  const { listedCommitMaxBytes } = hub.config.limits
  const [listed] = (await call(undefined, 'GET', `${api}/commits/main`)).body as unknown as Listed[]
  t.match(listed.title, /^t{10000,}$/)
  t.ok(JSON.stringify(listed).length <= listedCommitMaxBytes)
  t.match(listed.authors, [{ user: /./ }])
  const entries = (await call(undefined, 'GET', `${api}/tree/main?expand=true`)).body as unknown as {
    path: string
    lastCommit: { title: string }
  }[]
  const { title } = entries.find(({ path }) => path === 'a')!.lastCommit
  t.match(title, /^t{10000,}$/)
  t.ok(title.length <= listedCommitMaxBytes)
})
