/** Folders by their bytes, and what lies in them: made durable, and removed. Folders go only where they are empty. */
import { readdirSync, rmdirSync, statSync, unlinkSync } from 'node:fs'
import { open } from 'node:fs/promises'

const slash = Buffer.from('/')

export function folderOf(path: Buffer): Buffer {
  return path.subarray(0, path.lastIndexOf(slash))
}

/** Makes what was created, renamed or removed in the folder outlive a crash. */
export async function syncFolder(path: string | Buffer): Promise<void> {
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Syncs the folders of all the paths, each once; one that is gone has nothing to keep. */
export async function syncFoldersOf(paths: Iterable<Buffer>): Promise<void> {
  const folders = new Set(Array.from(paths, (path) => folderOf(path).toString('latin1')))
  for (const folder of folders) {
    try {
      await syncFolder(Buffer.from(folder, 'latin1'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

/** Removes what lies there unless it is a folder. */
export function removeFile(path: Buffer): void {
  try {
    unlinkSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // POSIX says EPERM for a folder, Linux EISDIR.
    const isFolder = code === 'EISDIR' || (code === 'EPERM' && statSync(path).isDirectory())
    if (code !== 'ENOENT' && code !== 'ENOTDIR' && !isFolder) throw error
  }
}

/** Removes the folder and those within it, as far as they hold nothing else. */
export function removeEmptyFolders(folder: Buffer): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })) {
    if (entry.isDirectory()) removeEmptyFolders(Buffer.concat([folder, slash, entry.name]))
  }
  removeFolder(folder)
}

/** Removes the folder of `path` and those above it, as far as they are empty. `keptFolder` and what is above stay. */
export function removeEmptyParents(path: Buffer, keptFolder: Buffer): void {
  let folder = folderOf(path)
  while (folder.length > keptFolder.length && removeFolder(folder)) folder = folderOf(folder)
}

/** False where it is not empty, or not there. */
function removeFolder(folder: Buffer): boolean {
  try {
    rmdirSync(folder)
    return true
  } catch {
    return false
  }
}
