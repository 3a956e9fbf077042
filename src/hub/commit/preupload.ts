/**
 * How files are to be uploaded before they are committed: into Git itself or as LFS files, by the rules that lie in the
 * revision, by their size, or because they look binary; whether the rules ignore them; and what is at their paths now.
 */
import { isHoldfastError } from '../../errors.ts'
import { splitEntryPath } from '../../git/entry-path.ts'
import { fairLoop } from '../../git/fair-loop.ts'
import type { ObjectId } from '../../git/object-id.ts'
import { type RuledPath, readPathRules } from '../../git/rules/path-rules.ts'
import { describeBlob, findRootTree } from '../commit-files.ts'
import type { Hub } from '../hub.ts'
import type { Repo } from '../repo.ts'
import { resolveRevision } from '../revisions.ts'
import { visibleRefs } from '../visible-refs.ts'
import { branchRefName } from './branch.ts'

/** A file that somebody is going to commit. */
export interface FileToUpload {
  path: string
  sizeBytes: number
  /** Its first bytes. */
  sample: Buffer
}

export interface UploadQuestion {
  revision: string
  files: readonly FileToUpload[]
  /** Texts that stand for the revision's own in the root folder. */
  gitIgnore: string | undefined
  gitAttributes: string | undefined
  signal: AbortSignal
}

export interface UploadAdvice {
  path: string
  uploadMode: 'lfs' | 'regular'
  shouldIgnore: boolean
  /** What is there now: the SHA-256 of an LFS file, the blob's id otherwise. */
  oid: string | undefined
}

/** Advice for each file in turn; `commitId` is undefined in an empty repository. Throws RevisionNotFound, PathInvalid. */
export async function adviseUploads(
  hub: Hub,
  repo: Repo,
  { revision, files, gitIgnore, gitAttributes, signal }: UploadQuestion,
): Promise<{ commitId: ObjectId | undefined; advice: UploadAdvice[] }> {
  const { limits } = hub.config
  const paths = files.map(({ path }) => splitEntryPath(path, limits))
  const commitId = await resolveOrNone(hub, repo, revision)
  const options = {
    rootAttributes: toLatin1(gitAttributes),
    rootIgnore: toLatin1(gitIgnore),
    rulesMaxBytes: limits.ruleFileMaxBytes,
  }
  const advice = await hub.repositories.withObjects(repo, async (objects) => {
    const rootId = commitId === undefined ? undefined : findRootTree(objects, commitId)
    const found = await readPathRules(objects, rootId, paths, { ...options, pause: fairLoop(signal) })
    return files.map((file, index): UploadAdvice => {
      const ruled = found.get(paths[index].join('/')) as RuledPath
      const current = ruled.entry === undefined ? undefined : describeBlob(objects, ruled.entry.id)
      return {
        path: file.path,
        uploadMode: isForLfs(file, ruled, regularMaxBytes(hub)) ? 'lfs' : 'regular',
        shouldIgnore: ruled.isIgnored,
        oid: current?.lfs?.lfsOid ?? current?.blobId,
      }
    })
  })
  return { commitId, advice }
}

/** The default branch of an empty repository may be written to, though it does not exist. */
async function resolveOrNone(hub: Hub, repo: Repo, revision: string): Promise<ObjectId | undefined> {
  try {
    return (await resolveRevision(hub, repo, revision)).commitId
  } catch (error) {
    if (!isHoldfastError(error, 'RevisionNotFound') || branchRefName(repo, revision) !== repo.headTarget) throw error
    if ((await visibleRefs(hub, repo)).snapshot.headId !== undefined) throw error
    return undefined
  }
}

function isForLfs({ sizeBytes, sample }: FileToUpload, { filter }: RuledPath, maxBytes: number): boolean {
  // An empty file has no content that a pointer could stand for.
  if (sizeBytes === 0) return false
  if (filter === 'lfs' || sizeBytes > maxBytes) return true
  return filter !== false && isBinary(sample)
}

/** What fits both into Git here, and into a line of a commit in base64 beside its path. */
function regularMaxBytes({ config }: Hub): number {
  const { gitBlobMaxBytes, commitLineMaxBytes, gitPathMaxBytes } = config.limits
  const aroundBytes = 6 * gitPathMaxBytes + 1024
  return Math.min(gitBlobMaxBytes, Math.floor(((commitLineMaxBytes - aroundBytes) / 4) * 3))
}

const utf8 = () => new TextDecoder('utf-8', { fatal: true })

/** By git's own sign, a NUL, or because it is no UTF-8; the sample may end within a character. */
function isBinary(sample: Buffer): boolean {
  if (sample.includes(0)) return true
  try {
    utf8().decode(sample, { stream: true })
    return false
  } catch {
    return true
  }
}

function toLatin1(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Buffer.from(text).toString('latin1')
}
