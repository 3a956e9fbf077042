import t from 'tap'
import { countDownloads, expireCounts, isCountedFile } from '../../src/hub/downloads.ts'
import { commitFiles } from '../support/commits.ts'
import { addPerson, addRepo, openDoors, openHouse } from '../support/house.ts'

t.test('which requests count', async (t) => {
  for (const path of ['config.json', 'adapter_config.json', 'model.Q4.gguf']) t.ok(isCountedFile('model', path), path)
  for (const path of ['README.md', 'a/config.json', 'a/b.gguf', 'model.safetensors'])
    t.notOk(isCountedFile('model', path), path)
  t.ok(isCountedFile('dataset', 'README.md'))
  t.notOk(isCountedFile('dataset', 'data.parquet'))
  t.notOk(isCountedFile('space', 'README.md'))
})

t.test('counted in memory, written together, and when the server stops', async (t) => {
  const hub = await openHouse(t)
  const ada = await addPerson(hub, 'ada')
  const repo = await addRepo(hub, ada, 'bert')
  const { commitId } = await commitFiles(hub, repo, { 'config.json': '{}', 'README.md': 'x' })
  const server = await openDoors(t, hub)
  const ask = (method: 'GET' | 'HEAD', path: string) =>
    server.inject({ method, url: `/ada/bert/resolve/${commitId}/${path}` })
  for (const method of ['HEAD', 'GET', 'GET'] as const) t.equal((await ask(method, 'config.json')).statusCode, 200)
  await ask('GET', 'README.md')
  t.equal((await ask('GET', 'absent.json')).statusCode, 404)
  await server.inject(`/ada/bert/raw/${commitId}/config.json`)
  const counts = async () => await hub.database.query('select downloads, downloads_all_time as "all" from repo_counts')
  t.same(await counts(), [{ downloads: '0', all: '0' }])
  await server.close()
  t.same(await counts(), [{ downloads: '3', all: '3' }])
})

t.test('what cannot be written is kept, and what is deleted is passed over', async (t) => {
  let isDown = false
  const hub = await openHouse(t, {
    database: (database) => ({
      ...database,
      query: (...query) => (isDown ? Promise.reject(new Error('down')) : database.query(...query)),
    }),
  })
  const ada = await addPerson(hub, 'ada')
  const [one, gone] = [await addRepo(hub, ada, 'one'), await addRepo(hub, ada, 'gone')]
  const downloads = countDownloads(hub)
  downloads.count(one.id)
  downloads.count(gone.id)
  isDown = true
  await t.rejects(downloads.flush(), { message: 'down' })
  isDown = false
  downloads.count(one.id)
  await hub.database.query('delete from repos where id = $1', [gone.id])
  await downloads.close()
  await downloads.flush()
  t.same(await hub.database.query('select repo_id as id, downloads from repo_counts'), [{ id: one.id, downloads: '2' }])
})

t.test('days and likes that are past no longer count', async (t) => {
  const hub = await openHouse(t)
  const ada = await addPerson(hub, 'ada')
  const repo = await addRepo(hub, ada, 'one')
  const downloads = countDownloads(hub)
  for (let time = 0; time < 5; time++) downloads.count(repo.id)
  await downloads.flush()
  await hub.database.query(`update repo_downloads set day = day - 31`)
  downloads.count(repo.id)
  await downloads.close()
  await hub.database.query(
    `insert into likes select id, created_by, now() - interval '8 days' from repos where created_by is not null`,
  )
  await hub.database.query(
    `insert into likes select r.id, u.id, now() - interval '8 days' from repos r, users u on conflict do nothing`,
  )
  await hub.database.query('update repo_counts set likes = 1, trending = 1')
  await expireCounts(hub)
  await expireCounts(hub)
  t.same(await hub.database.query('select downloads, downloads_all_time as "all", likes, trending from repo_counts'), [
    { downloads: '1', all: '6', likes: '1', trending: '0' },
  ])
})
