/** The night shift: what was asked for is done, once, whoever asks and whoever works; a stop lets it finish. */
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { enqueueJob } from '../../src/database/jobs.ts'
import { listPacks } from '../../src/database/packs.ts'
import { startJobs } from '../../src/jobs/runner.ts'
import { commitFiles } from '../support/commits.ts'
import { addPerson, addRepo, openHouse } from '../support/house.ts'
import { makeCommit, makeTree } from '../support/objects.ts'
import { pushObjects } from '../support/push-objects.ts'

/** A house whose log can be waited for. */
async function openScene(t: Test) {
  const log = new PassThrough()
  const lines: Record<string, unknown>[] = []
  log.on('data', (line) => {
    lines.push(JSON.parse(line))
    log.emit('line')
  })
  const hub = await openHouse(t, { logger: pino({ level: 'info' }, log), limits: { compactionPacksMin: 3 } })
  return {
    hub,
    lines,
    start: async () => {
      const jobs = await startJobs(hub, hub.databaseUrl)
      t.teardown(() => jobs.close())
      return jobs
    },
    async logged(msg: string, count = 1) {
      while (lines.filter((line) => line.msg === msg).length < count) await once(log, 'line')
      return lines.findLast((line) => line.msg === msg)
    },
    waitingJobs: async () => {
      const rows = await hub.database.query<{ name: string; attempts: number }>(
        `select task_identifier as name, attempts from graphile_worker.jobs where task_identifier <> 'read-metadata' order by 1`,
      )
      return rows.map(({ name, attempts }) => ({ name, attempts }))
    },
  }
}

t.test('the push that makes one pack too many has them merged, by two runners once', async (t) => {
  const { hub, start, logged, lines, waitingJobs } = await openScene(t)
  let repo = await addRepo(hub, await addPerson(hub, 'ada'), 'model')
  const tree = makeTree()
  const commits = [makeCommit(tree)]
  for (let number = 1; number <= 3; number++) {
    const [parent] = commits
    const next = number === 1 ? parent : makeCommit(tree, [parent], number)
    if (number > 1) commits.unshift(next)
    const oldId = number === 1 ? undefined : parent.id
    const pushed = await pushObjects(hub, repo, { 'refs/heads/main': [oldId, next.id] }, [tree, next])
    t.same(pushed.report.results, [{ name: 'refs/heads/main', reason: undefined }])
    repo = pushed.repo
    t.same(await waitingJobs(), number < 3 ? [] : [{ name: 'compact', attempts: 0 }])
  }
  const runners = [await start(), await start()]
  t.match(await logged('compacted packs'), { repoId: repo.id, mergedPacks: 3, objectCount: 4 })
  for (const runner of runners) await runner.close()
  t.equal((await listPacks(hub.database, repo.id))?.packs.length, 1)
  t.same(await waitingJobs(), [])
  t.equal(lines.filter(({ msg }) => msg === 'compacted packs').length, 1)
})

t.test('a repository that was deleted meanwhile is no failure', async (t) => {
  const { hub, start, logged, waitingJobs, lines } = await openScene(t)
  await enqueueJob(hub.database, { name: 'compact', payload: { repoId: '999' } })
  await enqueueJob(hub.database, { name: 'collect-garbage', payload: {} })
  const runner = await start()
  t.match(await logged('collected garbage'), { doomedKeys: 0, orphanKeys: 0 })
  await runner.close()
  t.same(await waitingJobs(), [])
  t.notOk(lines.some(({ level }) => Number(level) >= 40))
})

t.test('a job that fails is said, and tried again later', async (t) => {
  const { hub, start, waitingJobs, lines } = await openScene(t)
  await enqueueJob(hub.database, { name: 'compact', payload: { repoId: 'not an id' } })
  const runner = await start()
  while (!lines.some(({ level }) => level === 50)) await new Promise((resolve) => setImmediate(resolve))
  await runner.close()
  t.match(lines.find(({ level }) => level === 50)?.msg, /compact/)
  t.same(await waitingJobs(), [{ name: 'compact', attempts: 1 }])
})

t.test('what a push says is read while a compaction runs', async (t) => {
  const { hub, start } = await openScene(t)
  const { repositories } = hub
  const gate = Promise.withResolvers<void>()
  const compact = async () => {
    await gate.promise
    return { mergedPacks: 0, objectCount: 0, cloneObjectCount: 0 }
  }
  Object.assign(hub, { repositories: { ...repositories, compact } })
  const repo = await addRepo(hub, await addPerson(hub, 'ada'), 'model')
  await enqueueJob(hub.database, { name: 'compact', payload: { repoId: repo.id } })
  await start()
  const { commitId } = await commitFiles(hub, repo, { 'README.md': '---\nlicense: mit\n---\n' })
  const license = async () => {
    const [row] = await hub.database.query<{ license: string | null; sha: string }>(
      `select license, encode(commit_id, 'hex') as sha from repo_metadata`,
    )
    return row
  }
  while ((await license()).license === null) await new Promise((resolve) => setImmediate(resolve))
  t.same(await license(), { license: 'mit', sha: commitId })
  await enqueueJob(hub.database, { name: 'read-metadata', payload: { repoId: '999' } })
  await enqueueJob(hub.database, { name: 'expire-counts', payload: {} })
  const left = () => hub.database.query(`select 1 from graphile_worker.jobs where task_identifier <> 'compact'`)
  while ((await left()).length > 0) await new Promise((resolve) => setImmediate(resolve))
  gate.resolve()
})

t.test('a stop waits for the job that runs', async (t) => {
  const entered = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const { hub, waitingJobs } = await openScene(t)
  const { repositories } = hub
  const slow = {
    ...repositories,
    compact: async () => {
      entered.resolve()
      await gate.promise
      return { mergedPacks: 0, objectCount: 0, cloneObjectCount: 0 }
    },
  }
  const repo = await addRepo(hub, await addPerson(hub, 'ada'), 'model')
  await enqueueJob(hub.database, { name: 'compact', payload: { repoId: repo.id } })
  const runner = await startJobs({ ...hub, repositories: slow }, hub.databaseUrl)
  await entered.promise
  const closing = runner.close()
  gate.resolve()
  await closing
  t.same(await waitingJobs(), [])
  await t.resolves(runner.close(), 'closing twice is closing')
})
