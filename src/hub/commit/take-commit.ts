/** The lines of a commit request as they come: blobs go to the disk, what remains in memory is a path and an id for each. */
import { HoldfastError } from '../../errors.ts'
import { splitEntryPath } from '../../git/entry-path.ts'
import type { ObjectId } from '../../git/object-id.ts'
import { PathEdits } from '../../git/path-edits.ts'
import type { LfsOid } from '../../lfs/oid.ts'
import type { Hub } from '../hub.ts'
import type { UserPrincipal } from '../principal.ts'
import type { Repo } from '../repo.ts'
import { openBranch } from './branch.ts'
import { commitDraft } from './commit.ts'
import { CommitBlobs } from './commit-blobs.ts'
import { CommitPointers } from './commit-pointers.ts'
import { formatMessage } from './message.ts'

export interface CommitHeader {
  key: 'header'
  summary: string
  description: string
  /** At least the first 7 digits of a commit's id. */
  parentCommit: string | undefined
}

/** One change. Its path is as it was written. */
export type FileChange =
  | { key: 'file'; path: string; content: Buffer; oldPath: string | undefined }
  | { key: 'lfsFile'; path: string; lfsOid: LfsOid; sizeBytes: number | undefined }
  | { key: 'deletedFile' | 'deletedFolder'; path: string }

export interface IncomingCommit {
  /** The branch. */
  revision: string
  /** The header, then the changes in the order in which they are asked for. */
  lines: AsyncIterable<CommitHeader | FileChange>
  /** Of the whole body, once all lines were read. */
  bodySha256(): Buffer
  signal: AbortSignal
}

/**
 * Takes a commit; resolves to its id. Access (write) has been decided. Throws RevisionNotFound, PathInvalid, InputInvalid,
 * InputTooLarge, LfsMissing, StorageFull, what reading the lines throws, and as `commitDraft`; nothing has changed then.
 */
export async function takeCommit(
  hub: Hub,
  principal: UserPrincipal,
  repo: Repo,
  { revision, lines, bodySha256, signal }: IncomingCommit,
): Promise<ObjectId> {
  const branch = await openBranch(hub, repo, revision)
  const spool = hub.repositories.createSpool()
  try {
    const intake = new Intake(hub, new CommitBlobs(spool))
    for await (const line of lines) await intake.take(line)
    const { header, edits, blobs, pointers } = intake
    if (header === undefined) throw new HoldfastError('InputInvalid', { message: 'The commit has no header line.' })
    await pointers.settle(hub, principal, repo)
    const draft = {
      branch,
      edits,
      message: formatMessage(header, hub.config.limits.commitMessageMaxBytes),
      parentCommit: header.parentCommit,
      bodySha256: bodySha256(),
      pack: blobs.pack.bind(blobs),
    }
    return await commitDraft(hub, principal, repo, { draft, signal })
  } finally {
    spool.close()
  }
}

class Intake {
  header: CommitHeader | undefined
  readonly edits = new PathEdits()
  readonly blobs: CommitBlobs
  readonly pointers: CommitPointers
  readonly #limits: Hub['config']['limits']

  constructor({ config }: Hub, blobs: CommitBlobs) {
    this.#limits = config.limits
    this.blobs = blobs
    this.pointers = new CommitPointers(this.edits, blobs)
  }

  async take(line: CommitHeader | FileChange): Promise<void> {
    if (line.key === 'header') {
      this.header = line
      return
    }
    // A folder's path may end in a slash.
    const path = this.#split(line.key === 'deletedFolder' ? line.path.replace(/\/$/, '') : line.path)
    if (line.key === 'lfsFile') await this.pointers.put(path, line)
    else if (line.key !== 'file') this.edits.remove(path)
    else {
      if (line.oldPath !== undefined && line.oldPath !== line.path) this.edits.remove(this.#split(line.oldPath))
      this.edits.put(path, await this.blobs.add(this.#checked(line)))
    }
  }

  #split(path: string): string[] {
    return splitEntryPath(path, this.#limits)
  }

  #checked({ path, content }: { path: string; content: Buffer }): Buffer {
    const { gitBlobMaxBytes } = this.#limits
    if (content.length <= gitBlobMaxBytes) return content
    throw new HoldfastError('InputTooLarge', {
      message:
        `The file ${JSON.stringify(path)} has ${content.length} bytes, and Git takes files of up to ${gitBlobMaxBytes} here. ` +
        'Upload it as an LFS file.',
    })
  }
}
