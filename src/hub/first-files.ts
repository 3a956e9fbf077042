/** Files that a repository is made with, as huggingface.js may send them: one commit after the initial one. */
import { createHash } from 'node:crypto'
import { type CommitHeader, type FileChange, takeCommit } from './commit/take-commit.ts'
import type { Hub } from './hub.ts'
import { openRepo } from './open-repo.ts'
import type { UserPrincipal } from './principal.ts'
import type { Repo } from './repo.ts'

export interface FirstFile {
  path: string
  content: Buffer
}

/** Commits `files` to a repository that has just been made; throws as `takeCommit`. */
export async function commitFirstFiles(
  hub: Hub,
  principal: UserPrincipal,
  created: Repo,
  files: readonly FirstFile[],
): Promise<void> {
  const hash = createHash('sha256')
  for (const { path, content } of files) hash.update(JSON.stringify([path, content.length])).update(content)
  await takeCommit(hub, principal, await openRepo(hub, principal, created, 'write'), {
    revision: 'main',
    lines: linesOf(files),
    bodySha256: () => hash.digest(),
    signal: new AbortController().signal,
  })
}

async function* linesOf(files: readonly FirstFile[]): AsyncGenerator<CommitHeader | FileChange> {
  yield { key: 'header', summary: 'Add the first files', description: '', parentCommit: undefined }
  for (const { path, content } of files) yield { key: 'file', path, content, oldPath: undefined }
}
