/**
 * The commit with which a repository made by the API begins, as on the Hub: `.gitattributes`, and a README where there is
 * something to say in it.
 */
import { oneChunk } from '../bucket/streams.ts'
import { HoldfastError } from '../errors.ts'
import { formatCommit } from '../git/commit.ts'
import { hashObject } from '../git/hash-object.ts'
import type { ObjectId } from '../git/object-id.ts'
import { formatFreshPack } from '../git/pack/fresh-pack.ts'
import type { GitObject } from '../git/repository.ts'
import { fileMode, formatTree } from '../git/tree.ts'
import { authorNow } from './commit/authorship.ts'
import type { Hub } from './hub.ts'
import { moveRef } from './move-ref.ts'
import type { UserPrincipal } from './principal.ts'
import { type Repo, type RepoName, repoPath, type Visibility } from './repo.ts'
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
    data: formatTree(files.map(({ name, blob }) => ({ mode: fileMode, name, id: hashObject(blob) }))),
  }
  const author = authorNow(hub, principal)
  const data = formatCommit({
    treeId: hashObject(tree),
    parentIds: [],
    author,
    committer: author,
    message: 'initial commit\n',
  })
  const commit: GitObject = { type: 'commit', data }
  const commitId = hashObject(commit)
  const isMoved = await moveRef(hub, principal, repo, {
    command: { name: repo.headTarget, oldId: undefined, newId: commitId },
    pack: oneChunk(formatFreshPack([commit, tree, ...blobs])),
    signal: new AbortController().signal,
  })
  if (isMoved) return commitId
  throw new HoldfastError('Conflict', { message: `${repoPath(repo)} has been pushed to already.` })
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
