/** What the Hub API tells about a repository (hub-api.md §2.3). Every field that a client requires is there. */
import type { ObjectId } from '../../git/object-id.ts'
import { listFiles } from '../../hub/file-lists.ts'
import type { Hub } from '../../hub/hub.ts'
import type { Repo } from '../../hub/repo.ts'

/** One entry of a list. */
export function summarizeRepo(repo: Repo) {
  const id = `${repo.namespace}/${repo.name}`
  return {
    _id: repo.id,
    id,
    ...(repo.type === 'model' ? { modelId: id } : undefined),
    author: repo.namespace,
    private: repo.visibility === 'private',
    gated: false,
    disabled: false,
    downloads: 0,
    likes: 0,
    tags: [] as string[],
    createdAt: repo.createdAt.toISOString(),
    lastModified: repo.updatedAt.toISOString(),
  }
}

/** The repository at a commit; `isDetailed` adds sizes and LFS data of the files. */
export async function writeRepoInfo(
  hub: Hub,
  repo: Repo,
  { commitId, isDetailed }: { commitId: ObjectId | undefined; isDetailed: boolean },
) {
  if (commitId === undefined) return { ...summarizeRepo(repo), siblings: [] }
  const files = await listFiles(hub, repo, { commitId, isDetailed })
  return { ...summarizeRepo(repo), sha: commitId, siblings: files?.map((file) => writeSibling(file, isDetailed)) }
}

type Listed = NonNullable<Awaited<ReturnType<typeof listFiles>>>[number]

function writeSibling({ path, blobId, sizeBytes, lfs }: Listed, isDetailed: boolean) {
  if (!isDetailed) return { rfilename: path }
  if (lfs === undefined) return { rfilename: path, blobId, size: sizeBytes }
  return {
    rfilename: path,
    blobId,
    size: lfs.sizeBytes,
    lfs: { sha256: lfs.lfsOid, size: lfs.sizeBytes, pointerSize: sizeBytes },
  }
}

/** With `expand` a client gets the ids and the named properties alone. */
export function pickExpanded(info: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  const wanted = new Set(['_id', 'id', ...names])
  return Object.fromEntries(Object.entries(info).filter(([name]) => wanted.has(name)))
}
