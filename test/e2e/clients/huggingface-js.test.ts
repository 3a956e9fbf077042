/** The JavaScript client, call by call, against both deployments. */
import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as hub from '@huggingface/hub'
import t from 'tap'
import { temporaryFolder } from '../../support/git.ts'
import { createAccount, inBothDeployments, type TestAccount } from '../../support/test-server.ts'
import { type CallResult, type Case, checkTable, runCases } from './calls.ts'

const packageJson = new URL('../../../node_modules/@huggingface/hub/package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(packageJson, 'utf8')) as { version: string }
const calls: CallResult[] = []

inBothDeployments(t, '@huggingface/hub', async (t, { servers }) => {
  const account = await createAccount(servers[0], 'ada')
  const hubUrl = servers[servers.length - 1].url
  calls.push(...(await runCases(t, casesOf(account, hubUrl, temporaryFolder(t, 'huggingface-js')))))
})

t.test('the table of calls in the README', async (t) => checkTable(t, '@huggingface/hub', { [version]: calls }))

function casesOf({ name: user, token: accessToken }: TestAccount, hubUrl: string, folder: string): Case[] {
  const repo = `${user}/js`
  const to = { repo, hubUrl, accessToken }
  const weights = randomBytes(6_000_000)
  const oid = createHash('sha256').update(weights).digest('hex')
  const pin = { commitId: '' }
  const bytesOf = async (path: string, revision?: string) =>
    Buffer.from((await (await hub.downloadFile({ ...to, path, revision }))?.arrayBuffer()) ?? new ArrayBuffer(0))

  const writing: Case[] = [
    [
      'whoAmI',
      'tells who holds the token',
      async () => {
        equal((await hub.whoAmI({ hubUrl, accessToken })).name, user)
        await rejects(hub.whoAmI({ hubUrl, accessToken: `hf_${'x'.repeat(34)}` }))
      },
    ],
    [
      'createRepo',
      'makes a model, and refuses to make it twice',
      async () => {
        deepEqual(await hub.createRepo(to), { repoUrl: `${hubUrl}/${repo}`, id: repo })
        await rejects(hub.createRepo(to), { statusCode: 409 })
      },
    ],
    [
      'createRepo',
      'makes a dataset of the same name',
      async () => {
        const dataset = { ...to, repo: { type: 'dataset' as const, name: repo } }
        await hub.createRepo(dataset)
        equal(await hub.repoExists(dataset), true)
      },
    ],
    [
      'repoExists',
      'tells what is there',
      async () => {
        deepEqual([await hub.repoExists(to), await hub.repoExists({ ...to, repo: `${user}/none` })], [true, false])
      },
    ],
    [
      'checkRepoAccess',
      'lets in who may read',
      async () => {
        await hub.checkRepoAccess(to)
        await rejects(hub.checkRepoAccess({ ...to, repo: `${user}/none` }), { statusCode: 404 })
      },
    ],
    [
      'uploadFile',
      'keeps a small text in git',
      async () => {
        const commit = await hub.uploadFile({ ...to, file: { path: 'notes/a b.txt', content: new Blob(['hello\n']) } })
        ok(commit?.commit.url.startsWith(`${hubUrl}/${repo}/commit/`))
        equal((await bytesOf('notes/a b.txt', commit?.commit.oid)).toString(), 'hello\n')
      },
    ],
    [
      'uploadFiles',
      'keeps weights in LFS',
      async () => {
        const files = [
          { path: 'weights.safetensors', content: new Blob([weights]) },
          { path: 'config.json', content: new Blob(['{"model_type": "bert"}']) },
        ]
        const commit = await hub.uploadFiles({ ...to, files, commitTitle: 'Weights' })
        pin.commitId = commit?.commit.oid ?? ''
        deepEqual(await bytesOf('weights.safetensors'), weights)
      },
    ],
    [
      'uploadFilesWithProgress',
      'tells how far it is',
      async () => {
        const phases = new Set<string>()
        const files = [{ path: 'more.bin', content: new Blob([weights, 'more']) }]
        for await (const event of hub.uploadFilesWithProgress({ ...to, files })) phases.add(event.event)
        ok(phases.has('phase'))
        equal((await bytesOf('more.bin')).length, weights.length + 4)
      },
    ],
    [
      'commit',
      'adds and deletes in one commit',
      async () => {
        await hub.commit({
          ...to,
          title: 'Both',
          operations: [
            { operation: 'addOrUpdate', path: 'new.txt', content: new Blob(['new']) },
            { operation: 'delete', path: 'more.bin' },
          ],
        })
        equal((await bytesOf('new.txt')).toString(), 'new')
        equal(await hub.fileExists({ ...to, path: 'more.bin' }), false)
      },
    ],
    [
      'commit',
      'holds to the parent that was named',
      async () => {
        const operations = [{ operation: 'delete' as const, path: 'new.txt' }]
        await rejects(hub.commit({ ...to, title: 'Late', operations, parentCommit: pin.commitId }), { statusCode: 412 })
        equal(await hub.fileExists({ ...to, path: 'new.txt' }), true)
      },
    ],
    [
      'deleteFile',
      'deletes a file',
      async () => {
        await hub.deleteFile({ ...to, path: 'new.txt' })
        equal(await hub.fileExists({ ...to, path: 'new.txt' }), false)
      },
    ],
    [
      'deleteFiles',
      'deletes several',
      async () => {
        await hub.uploadFiles({ ...to, files: ['x', 'y'].map((path) => ({ path, content: new Blob([path]) })) })
        await hub.deleteFiles({ ...to, paths: ['x', 'y'] })
        equal(await hub.fileExists({ ...to, path: 'x' }), false)
      },
    ],
    [
      'createBranch',
      'makes a branch with slashes from a commit',
      async () => {
        await hub.createBranch({ ...to, branch: 'feature/js', revision: pin.commitId })
        equal(
          (await hub.modelInfo({ name: repo, hubUrl, accessToken, revision: 'feature/js', additionalFields: ['sha'] }))
            .sha,
          pin.commitId,
        )
      },
    ],
  ]

  const reading: Case[] = [
    [
      'listFiles',
      'lists a folder and all below, with last commits',
      async () => {
        const list = async (options: { recursive?: boolean; expand?: boolean; revision?: string; path?: string }) =>
          await Array.fromAsync(hub.listFiles({ ...to, ...options }))
        const top = await list({ revision: 'feature/js' })
        deepEqual(top.map(({ path }) => path).sort(), ['.gitattributes', 'config.json', 'notes', 'weights.safetensors'])
        equal(top.find(({ path }) => path === 'weights.safetensors')?.lfs?.oid, oid)
        deepEqual(
          (await list({ path: 'notes' })).map(({ path }) => path),
          ['notes/a b.txt'],
        )
        const below = await list({ recursive: true, expand: true })
        equal(below.find(({ path }) => path === 'config.json')?.lastCommit?.id, pin.commitId)
      },
    ],
    [
      'fileDownloadInfo',
      'tells size and id',
      async () => {
        const info = await hub.fileDownloadInfo({ ...to, path: 'weights.safetensors' })
        equal(info?.size, weights.length)
        ok(info?.etag)
        equal(await hub.fileDownloadInfo({ ...to, path: 'none' }), null)
      },
    ],
    [
      'downloadFile',
      'brings a part of a file at a commit',
      async () => {
        const blob = await hub.downloadFile({ ...to, path: 'weights.safetensors', revision: pin.commitId })
        deepEqual(
          Buffer.from((await blob?.slice(1000, 2000).arrayBuffer()) ?? new ArrayBuffer(0)),
          weights.subarray(1000, 2000),
        )
        equal(await hub.downloadFile({ ...to, path: 'none' }), null)
      },
    ],
    [
      'downloadFileToCacheDir',
      'keeps a file in the cache',
      async () => {
        const path = await hub.downloadFileToCacheDir({ ...to, path: 'config.json', cacheDir: join(folder, 'file') })
        equal(await readFile(path, 'utf8'), '{"model_type": "bert"}')
      },
    ],
    [
      'snapshotDownload',
      'brings a snapshot pinned to a commit',
      async () => {
        const path = await hub.snapshotDownload({ ...to, revision: pin.commitId, cacheDir: join(folder, 'snapshot') })
        ok(path.endsWith(pin.commitId))
        deepEqual(await readFile(join(path, 'weights.safetensors')), weights)
      },
    ],
    [
      'pathsInfo',
      'tells of paths and leaves out what is not there',
      async () => {
        const found = await hub.pathsInfo({ ...to, paths: ['notes', 'weights.safetensors', 'none'], expand: true })
        deepEqual(found.map(({ path }) => path).sort(), ['notes', 'weights.safetensors'])
      },
    ],
    [
      'listCommits',
      'lists the history',
      async () => {
        const titles = (await Array.fromAsync(hub.listCommits({ ...to, batchSize: 2 }))).map(({ title }) => title)
        ok(titles.includes('Weights') && titles.at(-1) === 'initial commit', titles.join())
      },
    ],
    [
      'countCommits',
      'counts the history',
      async () => {
        equal(await hub.countCommits({ ...to, revision: 'feature/js' }), 3)
      },
    ],
    [
      'modelInfo',
      'tells of a model',
      async () => {
        const info = await hub.modelInfo({
          name: repo,
          hubUrl,
          accessToken,
          additionalFields: ['author', 'config', 'tags'],
        })
        deepEqual([info.name, info.private, info.author], [repo, false, user])
      },
    ],
    [
      'datasetInfo',
      'tells of a dataset',
      async () => {
        equal((await hub.datasetInfo({ name: repo, hubUrl, accessToken })).name, repo)
      },
    ],
    [
      'listModels',
      'finds models',
      async () => {
        const found = await Array.fromAsync(
          hub.listModels({ hubUrl, accessToken, search: { owner: user, query: 'js' } }),
        )
        deepEqual(
          found.map(({ name }) => name),
          [repo],
        )
      },
    ],
    [
      'listDatasets',
      'finds datasets',
      async () => {
        const found = await Array.fromAsync(hub.listDatasets({ hubUrl, accessToken, search: { owner: user } }))
        deepEqual(
          found.map(({ name }) => name),
          [repo],
        )
      },
    ],
    [
      'deleteBranch',
      'deletes a branch',
      async () => {
        await hub.deleteBranch({ ...to, branch: 'feature/js' })
        await rejects(hub.modelInfo({ name: repo, hubUrl, accessToken, revision: 'feature/js' }), { statusCode: 404 })
      },
    ],
    [
      'deleteRepo',
      'deletes a repository',
      async () => {
        await hub.deleteRepo(to)
        equal(await hub.repoExists(to), false)
      },
    ],
  ]
  return [...writing, ...reading]
}
