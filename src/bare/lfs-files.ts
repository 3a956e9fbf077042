/** LFS content beside a repository on disk, as git-lfs keeps it: `lfs/objects/<oid[0:2]>/<oid[2:4]>/<oid>`. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ByteStream } from '../git/object-id.ts'

export interface LfsFile {
  sizeBytes: number
  /** The bytes; whether they are what the oid says is not checked. */
  read(): ByteStream
}

/** Undefined where the file is not there. `lfsOid` is 64 hex digits. */
export async function findLfsFile(gitPath: string, lfsOid: string): Promise<LfsFile | undefined> {
  const path = join(gitPath, 'lfs', 'objects', lfsOid.slice(0, 2), lfsOid.slice(2, 4), lfsOid)
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return found === undefined ? undefined : { sizeBytes: found.size, read: () => createReadStream(path) }
}
