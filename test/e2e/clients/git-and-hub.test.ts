/**
 * One repository, two ways in: what went in by `git push` comes out by `hf download` and by @huggingface/hub, and what went
 * in by them comes out by `git clone`; with the same ids and the same bytes, in both deployments.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { listFiles, uploadFiles } from '@huggingface/hub'
import t from 'tap'
import { git, temporaryFolder } from '../../support/git.ts'
import { createAccount, inBothDeployments } from '../../support/test-server.ts'
import { clientEnvironment } from './calls.ts'
import { hfCommand } from './hf-command.ts'

inBothDeployments(t, 'one repository by git and by the Hub API', async (t, { servers }) => {
  const [first] = servers
  const last = servers[servers.length - 1]
  const folder = temporaryFolder(t, 'git-and-hub')
  const account = await createAccount(first, 'ada')
  const repo = 'ada/both'
  const weights = randomBytes(3_000_000)
  const hf = hfCommand('python', folder, clientEnvironment(last, account, join(folder, 'home')))
  /** Ids of all files and folders at a commit, as git and as the API tell them. */
  const idsByGit = async (work: string) => {
    const lines = (await git(work, 'ls-tree', '-rtz', 'HEAD')).split('\0').filter((line) => line !== '')
    return lines.map((line) => line.replace(/^\d+ \w+ (\w+)\t/, '$1 ')).sort()
  }
  const idsByApi = async (revision: string) => {
    const ids: string[] = []
    const where = { repo, revision, hubUrl: last.url, accessToken: account.token }
    for await (const { oid, path } of listFiles({ ...where, recursive: true })) ids.push(`${oid} ${path}`)
    return ids.sort()
  }
  await hf('repos', 'create', repo)
  const work = join(folder, 'work')
  await git(folder, 'clone', '--quiet', first.repoUrl(account, repo), work)

  await t.test('in by git push, out by hf download', async (t) => {
    await mkdir(join(work, 'größe/deep'), { recursive: true })
    await writeFile(join(work, 'größe/deep/notes.txt'), 'by git\r\n')
    await writeFile(join(work, 'model.safetensors'), weights)
    await git(work, 'add', '--all')
    await git(work, 'commit', '--quiet', '--message', 'By git')
    await git(work, 'push', '--quiet', 'origin', 'main')
    const commitId = await git(work, 'rev-parse', 'HEAD')
    const snapshot = (await hf('download', repo, '--revision', commitId, '--quiet')).trim().split('\n').at(-1) ?? ''
    t.match(snapshot, commitId)
    t.ok((await readFile(join(snapshot, 'model.safetensors'))).equals(weights))
    t.equal(await readFile(join(snapshot, 'größe/deep/notes.txt'), 'utf8'), 'by git\r\n')
    t.same(await idsByApi('main'), await idsByGit(work))
  })

  await t.test('in by hf upload and @huggingface/hub, out by git', async (t) => {
    const more = randomBytes(2_000_000)
    await writeFile(join(folder, 'more.bin'), more)
    await hf('upload', repo, 'more.bin', 'größe/more.bin', '--commit-message', 'By hf\n\nWith a body')
    const files = [{ path: 'deep/by-js.json', content: new Blob(['{}']) }]
    const commit = await uploadFiles({ repo, files, hubUrl: last.url, accessToken: account.token })
    await git(work, 'pull', '--quiet')
    t.equal(await git(work, 'rev-parse', 'HEAD'), commit?.commit.oid)
    t.ok((await readFile(join(work, 'größe/more.bin'))).equals(more))
    t.equal(await readFile(join(work, 'deep/by-js.json'), 'utf8'), '{}')
    t.same(await idsByApi(commit?.commit.oid ?? ''), await idsByGit(work))
    t.equal(await git(work, 'fsck', '--strict', '--no-dangling'), '')
    t.equal(await git(work, 'status', '--porcelain'), '', 'what lies in LFS is what the attributes put there')
  })
})
