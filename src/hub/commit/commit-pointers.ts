/** The LFS files of a commit: pointers to content that the repository has been given, or that this user may let into it. */
import { findLfsObjects, type LfsObjectRow } from '../../database/lfs-objects.ts'
import { HoldfastError } from '../../errors.ts'
import { nullId, type ObjectId } from '../../git/object-id.ts'
import type { PathEdits } from '../../git/path-edits.ts'
import type { LfsOid } from '../../lfs/oid.ts'
import { writePointer } from '../../lfs/pointer.ts'
import type { Hub } from '../hub.ts'
import { lfsAsker } from '../lfs-presence.ts'
import { proveUploads } from '../lfs-transfer.ts'
import type { UserPrincipal } from '../principal.ts'
import type { Repo } from '../repo.ts'
import type { CommitBlobs } from './commit-blobs.ts'

interface LfsFile {
  path: string
  lfsOid: LfsOid
  /** Clients leave it out where they copy a file. */
  sizeBytes: number | undefined
}

interface Unsized extends LfsFile {
  place: { blobId: ObjectId | undefined }
}

export class CommitPointers {
  readonly #edits: PathEdits
  readonly #blobs: CommitBlobs
  /** One of each content and size, for the sentence that tells of it where it is missing. */
  readonly #files = new Map<string, LfsFile>()
  readonly #unsized: Unsized[] = []

  constructor(edits: PathEdits, blobs: CommitBlobs) {
    this.#edits = edits
    this.#blobs = blobs
  }

  /** Puts a pointer at `path`. Whether its content is there is asked by `settle`, for all at once. */
  async put(path: readonly string[], file: LfsFile): Promise<void> {
    const { lfsOid, sizeBytes } = file
    const key = `${lfsOid} ${sizeBytes}`
    if (!this.#files.has(key)) this.#files.set(key, file)
    if (sizeBytes === undefined) this.#unsized.push({ ...file, place: this.#edits.put(path, nullId) })
    else this.#edits.put(path, await this.#addPointer(lfsOid, sizeBytes))
  }

  /** Throws LfsMissing where content was never uploaded, or has another size. */
  async settle(hub: Hub, principal: UserPrincipal, repo: Repo): Promise<void> {
    const oids = [...new Set(Array.from(this.#files.values(), ({ lfsOid }) => lfsOid))]
    if (oids.length === 0) return
    await proveUploads(hub, repo, principal, oids)
    const rows = await findLfsObjects(hub.database, lfsAsker(principal, repo), oids)
    const usable = new Map(rows.filter(({ isUsable }) => isUsable).map((row) => [row.lfsOid, row]))
    for (const file of this.#files.values()) checkHeld(file, usable.get(file.lfsOid))
    for (const { place, lfsOid } of this.#unsized) {
      const { sizeBytes } = usable.get(lfsOid) as LfsObjectRow
      if (place.blobId === nullId) place.blobId = await this.#addPointer(lfsOid, sizeBytes)
    }
  }

  async #addPointer(lfsOid: LfsOid, sizeBytes: number): Promise<ObjectId> {
    return await this.#blobs.add(Buffer.from(writePointer({ lfsOid, sizeBytes })))
  }
}

function checkHeld({ path, lfsOid, sizeBytes }: LfsFile, row: LfsObjectRow | undefined): void {
  if (row === undefined) {
    throw new HoldfastError('LfsMissing', {
      message: `The content of ${JSON.stringify(path)} (${lfsOid}) has not been uploaded: upload it by the LFS batch API first.`,
    })
  }
  if (sizeBytes === undefined || sizeBytes === row.sizeBytes) return
  throw new HoldfastError('LfsMissing', {
    message: `The content of ${JSON.stringify(path)} has ${row.sizeBytes} bytes, not ${sizeBytes}.`,
  })
}
