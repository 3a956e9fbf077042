import t, { type Test } from 'tap'
import { readRepoMetadata } from '../../src/database/repo-metadata.ts'
import type { ObjectId } from '../../src/git/object-id.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { operator } from '../../src/hub/principal.ts'
import { addRule } from '../../src/hub/ref-rules.ts'
import { describeRepo, refreshMetadata, storageOf } from '../../src/hub/repo-metadata.ts'
import { deleteRepo, setDefaultBranch } from '../../src/hub/repos.ts'
import { commitFiles, storeLfs } from '../support/commits.ts'
import { addPerson, addRepo, openHouse } from '../support/house.ts'

async function openScene(t: Test) {
  const hub = await openHouse(t)
  const repo = await addRepo(hub, await addPerson(hub, 'ada'), 'model')
  const waiting = async () => {
    const rows = await hub.database.query<{ key: string }>(
      `select key from graphile_worker.jobs where task_identifier = 'read-metadata'`,
    )
    return rows.map(({ key }) => key)
  }
  return { hub, repo, waiting, stored: () => readRepoMetadata(hub.database, repo.id) }
}

const card = (license: string) => ({ 'README.md': `---\nlicense: ${license}\n---\n` })

t.test('a push that moves the default branch asks for it, once', async (t) => {
  const { hub, repo, waiting } = await openScene(t)
  const { commitId, repo: pushed } = await commitFiles(hub, repo, card('mit'))
  await hub.database.query('delete from graphile_worker._private_jobs')
  await commitFiles(hub, pushed, card('mit'), { branch: 'other' })
  t.same(await waiting(), [])
  await commitFiles(hub, repo, card('gpl'), { parentId: commitId })
  t.same(await waiting(), [`read-metadata:${repo.id}`])
})

t.test('the first branch is the default branch, whatever its name', async (t) => {
  const { hub, repo, stored, waiting } = await openScene(t)
  const { commitId } = await commitFiles(hub, repo, card('mit'), { branch: 'trunk' })
  t.equal((await waiting()).length, 1)
  await refreshMetadata(hub, repo.id)
  t.match(await stored(), { commitId, facts: { license: 'mit' } })
})

t.test('what is kept belongs to the commit that it names', async (t) => {
  const { hub, repo: empty, stored } = await openScene(t)
  t.match(await stored(), { commitId: null, downloads: 0, likes: 0 })
  const first = await commitFiles(hub, empty, card('mit'))
  const before = await describeRepo(hub, first.repo, first.commitId)
  t.same(before.facts.card, { license: 'mit' }, 'before the job has run')
  await refreshMetadata(hub, empty.id)
  t.match(await stored(), { commitId: first.commitId, facts: { card: { license: 'mit' } } })
  const second = await commitFiles(hub, first.repo, card('gpl'), { parentId: first.commitId })
  t.same((await describeRepo(hub, second.repo, second.commitId)).facts.tags, ['license:gpl'])
  t.same((await describeRepo(hub, second.repo, first.commitId)).facts.tags, ['license:mit'])
  await refreshMetadata(hub, empty.id)
  t.same((await describeRepo(hub, second.repo, second.commitId)).facts.license, 'gpl')
  const [tags] = await hub.database.query<{ tags: string[] }>('select tags from repo_metadata')
  t.same(tags.tags, ['license:gpl'])
})

t.test('an older reading does not replace a newer one', async (t) => {
  const { hub, repo, stored } = await openScene(t)
  const { commitId } = await commitFiles(hub, repo, card('mit'))
  await hub.database.query('update repo_metadata set refs_version = 100')
  await refreshMetadata(hub, repo.id)
  t.match(await stored(), { commitId: null })
  t.ok(commitId)
})

t.test('another default branch, and one that is hidden', async (t) => {
  const { hub, repo, stored, waiting } = await openScene(t)
  const main = await commitFiles(hub, repo, card('mit'))
  const other = await commitFiles(hub, main.repo, card('gpl'), { branch: 'other' })
  await refreshMetadata(hub, repo.id)
  await hub.database.query('delete from graphile_worker._private_jobs')
  await setDefaultBranch(hub, other.repo, 'other')
  t.equal((await waiting()).length, 1)
  await refreshMetadata(hub, repo.id)
  t.match(await stored(), { commitId: other.commitId, facts: { license: 'gpl' } })
  const now = await openRepo(hub, operator, repo, 'admin')
  const rule = { pattern: 'refs/heads/other', hidden: true }
  await addRule(hub, now, { ...rule } as Parameters<typeof addRule>[2])
  await refreshMetadata(hub, repo.id)
  t.match(await stored(), { commitId: null, facts: { tags: [] } })
})

t.test('a repository that is gone meanwhile', async (t) => {
  const { hub, repo } = await openScene(t)
  const { commitId, repo: pushed } = await commitFiles(hub, repo, card('mit'))
  await deleteRepo(hub, pushed)
  await refreshMetadata(hub, repo.id)
  await t.rejects(describeRepo(hub, pushed, commitId as ObjectId), { code: 'RepoNotFound' })
})

t.test('characters that cannot be stored', async (t) => {
  const { hub, repo, stored } = await openScene(t)
  const readme = '---\nlicense: "m\\0it"\ntags: ["\\ud800x", "a\\0b"]\n---\n'
  await commitFiles(hub, repo, { 'README.md': readme })
  await refreshMetadata(hub, repo.id)
  t.ok((await stored())?.commitId)
  const [{ license, tags }] = await hub.database.query<{ license: string; tags: string[] }>(
    'select license, tags from repo_metadata',
  )
  t.match(license, /^m.?it$/)
  t.equal(tags.length, 3)
})

t.test('storage', async (t) => {
  const { hub, repo } = await openScene(t)
  await storeLfs(hub, repo, Buffer.alloc(1_000_000))
  t.equal(await storageOf(hub, repo), 1_000_000)
  await commitFiles(hub, repo, card('mit'))
  t.ok((await storageOf(hub, repo)) > 1_000_000)
})
