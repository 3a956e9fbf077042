/**
 * What is known of a repository beside its refs. A job that the push enqueues reads the default branch and keeps what it finds,
 * for lists and for whoever asks for that commit; of any other commit it is read when somebody asks. So what is told of a
 * commit is never another one's, and right after a push it is there although the job has not run yet.
 */
import type { JobNote } from '../database/jobs.ts'
import type { RepoId } from '../database/queryable.ts'
import {
  findRepoById,
  type RepoCountsRow,
  readRepoMetadata,
  storeRepoMetadata,
  sumStorage,
} from '../database/repo-metadata.ts'
import { HoldfastError } from '../errors.ts'
import type { ObjectId } from '../git/object-id.ts'
import type { Hub } from './hub.ts'
import type { Repo } from './repo.ts'
import { noFacts, type RepoFacts, readCommitFacts } from './repo-facts.ts'
import { visibleRefs } from './visible-refs.ts'

export type { RepoCountsRow } from '../database/repo-metadata.ts'

/** Reads the default branch again, once however often that is asked for meanwhile. */
export function metadataJob(repoId: RepoId): JobNote {
  return { name: 'read-metadata', payload: { repoId }, key: `read-metadata:${repoId}` }
}

/** Keeps what the newest commit of the default branch says: of what whoever may only read sees. */
export async function refreshMetadata(hub: Hub, repoId: RepoId): Promise<void> {
  const row = await findRepoById(hub.database, repoId)
  if (row === undefined) return
  const repo: Repo = { ...row, access: 'read' }
  const { headId } = (await visibleRefs(hub, repo)).snapshot
  const { facts, files } = headId === undefined ? noCommit : await readCommitFacts(hub, repo, headId)
  const { tags, pipelineTag, libraryName, license } = facts
  await storeRepoMetadata(hub.database, repoId, {
    commitId: headId,
    refsVersion: repo.refsVersion,
    lastModified: headId === undefined ? repo.createdAt : repo.updatedAt,
    facts,
    files,
    tags,
    pipelineTag,
    libraryName,
    license,
    parameterCount: facts.safetensors?.total ?? facts.gguf?.total,
  })
}

const noCommit = { facts: noFacts, files: [] }

export interface KnownRepo {
  counts: RepoCountsRow
  lastModified: Date
  facts: RepoFacts
}

/** What is known of the repository, and of the commit, which the caller may read. Throws RepoNotFound where it is gone. */
export async function describeRepo(hub: Hub, repo: Repo, commitId: ObjectId | undefined): Promise<KnownRepo> {
  const row = await readRepoMetadata(hub.database, repo.id)
  if (row === undefined) throw new HoldfastError('RepoNotFound')
  const isRead = commitId !== undefined && row.commitId === commitId
  const lastModified = isRead ? row.lastModified : repo.updatedAt
  if (commitId === undefined) return { counts: row, lastModified, facts: noFacts }
  const facts = isRead ? (row.facts as RepoFacts) : (await readCommitFacts(hub, repo, commitId)).facts
  return { counts: row, lastModified, facts }
}

/** The bytes that the repository's files and history take. */
export async function storageOf(hub: Hub, repo: Repo): Promise<number> {
  return await sumStorage(hub.database, repo.id)
}
