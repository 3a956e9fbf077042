/**
 * The commit with which a repository made by the API begins, as on the Hub: `.gitattributes`, and a README where there is
 * something to say in it.
 */
import { hash } from 'node:crypto'
import { oneChunk } from '../bucket/streams.ts'
import { formatCommit } from '../git/commit.ts'
import type { ObjectId } from '../git/object-id.ts'
import { formatFreshPack } from '../git/pack/fresh-pack.ts'
import type { GitObject, ObjectType } from '../git/repository.ts'
import { fileMode, formatTree } from '../git/tree.ts'
import type { Hub } from './hub.ts'
import type { UserPrincipal } from './principal.ts'
import { pushHost } from './push.ts'
import type { Repo, RepoName, Visibility } from './repo.ts'
import { createRepo, deleteUntouchedRepo } from './repos.ts'

/** What model weights and their like are called. */
const lfsPatterns = [
  ...['7z', 'arrow', 'bin', 'bz2', 'ckpt', 'ftz', 'gguf', 'gz', 'h5', 'joblib', 'mlmodel', 'model', 'msgpack', 'npy'],
  ...['npz', 'onnx', 'ot', 'parquet', 'pb', 'pickle', 'pkl', 'pt', 'pth', 'rar', 'safetensors', 'tar', 'tflite', 'tgz'],
  ...['wasm', 'xz', 'zip', 'zst'],
].map((extension) => `*.${extension}`)

export const initialAttributes = [...lfsPatterns, '*tfevents*', 'saved_model/**/*']
  .map((pattern) => `${pattern} filter=lfs diff=lfs merge=lfs -text\n`)
  .join('')

/** What a new repository's README says in its front matter; without any of it there is no README. */
export interface CardStart {
  /** How a Space runs. */
  sdk?: string
  license?: string
}

/**
 * Makes a repository that begins with the initial commit; throws as createRepo does. Where the commit cannot be made the
 * repository goes again, unless somebody was quicker: it is visible from its first moment, and what was pushed is kept.
 */
export async function createStartedRepo(
  hub: Hub,
  principal: UserPrincipal,
  name: RepoName,
  { visibility, card = {} }: { visibility: Visibility; card?: CardStart },
): Promise<Repo> {
  const repo = await createRepo(hub, principal, name, visibility)
  try {
    await createInitialCommit(hub, principal, repo, card)
  } catch (error) {
    if (await deleteUntouchedRepo(hub, repo)) throw error
  }
  return repo
}

/** Gives an empty repository its first commit, by the one way in which refs move. Resolves to the commit's id. */
export async function createInitialCommit(
  hub: Hub,
  principal: UserPrincipal,
  repo: Repo,
  card: CardStart = {},
): Promise<ObjectId> {
  const files = [{ name: '.gitattributes', blob: blobOf(initialAttributes) }]
  if (Object.values(card).some((value) => value !== undefined)) {
    files.push({ name: 'README.md', blob: blobOf(writeCard(repo, card)) })
  }
  const blobs = files.map(({ blob }) => blob)
  const tree: GitObject = {
    type: 'tree',
    data: formatTree(files.map(({ name, blob }) => ({ mode: fileMode, name, id: objectIdOf(blob) }))),
  }
  const identity = {
    name: principal.userName,
    email: `${principal.userName}@users.noreply.${new URL(hub.config.publicUrl).hostname}`,
    seconds: Math.floor(Date.now() / 1000),
    timezone: '+0000',
  }
  const commit: GitObject = {
    type: 'commit',
    data: formatCommit({
      treeId: objectIdOf(tree),
      parentIds: [],
      author: identity,
      committer: identity,
      message: 'initial commit\n',
    }),
  }
  const commitId = objectIdOf(commit)
  const report = await pushHost(hub, principal, repo).push({
    commands: [{ name: repo.headTarget, oldId: undefined, newId: commitId }],
    atomic: false,
    pushOptions: [],
    pack: oneChunk(formatFreshPack([commit, tree, ...blobs])),
    progress: () => {},
    signal: new AbortController().signal,
  })
  if (report.cause !== undefined) throw report.cause
  const reason = report.results[0].reason
  if (reason !== undefined) throw new Error(`The initial commit of ${repo.namespace}/${repo.name} failed: ${reason}`)
  return commitId
}

/** The front matter alone: what the repository is, until somebody writes more. */
function writeCard({ name }: Repo, { sdk, license }: CardStart): string {
  const title = sdk === undefined ? [] : [`title: ${JSON.stringify(name)}`, `sdk: ${sdk}`]
  const lines = [...title, ...(license === undefined ? [] : [`license: ${license}`])]
  return ['---', ...lines, '---', ''].join('\n')
}

function blobOf(text: string): GitObject {
  return { type: 'blob', data: Buffer.from(text) }
}

function objectIdOf({ type, data }: { type: ObjectType; data: Buffer }): ObjectId {
  return hash('sha1', Buffer.concat([Buffer.from(`${type} ${data.length}\0`), data])) as ObjectId
}
