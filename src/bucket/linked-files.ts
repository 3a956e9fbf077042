/**
 * Gives a file that lies outside the bucket's folder a name inside, once its bytes are durable: without the copy, a large
 * pack is written once instead of twice.
 */
import { type FileHandle, link, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type DurableFolders, isAbsence, syncFolder } from './durable-folders.ts'

/** Another file system, or one without hard links, or whose rules forbid this one; or the name is gone. */
const refusals = ['EXDEV', 'EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

/** Makes `from` durable as `path` and resolves to its size; to undefined, having done nothing, where it cannot be linked. */
export async function linkDurably(
  from: string,
  path: string,
  { folders, signal }: { folders: DurableFolders; signal?: AbortSignal },
): Promise<number | undefined> {
  let handle: FileHandle | undefined
  try {
    handle = await open(from, 'r')
    // The sweep of orphans goes by the age of what is in the bucket, where this is new.
    const now = new Date()
    await handle.utimes(now, now)
    await handle.sync()
    signal?.throwIfAborted()
    const { size } = await handle.stat()
    await folders.place(dirname(path), () => link(from, path))
    await syncFolder(dirname(path)).catch(async (error: unknown) => {
      await rm(path, { force: true }).catch(() => {})
      throw error
    })
    return size
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  } finally {
    await handle?.close()
  }
}

function isRefusal(error: unknown): boolean {
  return isAbsence(error) || refusals.includes((error as NodeJS.ErrnoException).code ?? '')
}
