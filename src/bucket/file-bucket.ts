/**
 * The bucket as a folder: a key is a path below it. Bytes gather in `.incoming/` of the same file system and get their
 * name, by rename(2), when they are complete and on the disk; the folders on the way are synced too, since a name is
 * durable only with the folder that holds it.
 */
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HoldfastError } from '../errors.ts'
import type { Bucket, ByteRange, ByteStream, BytesStat, FileToPut, GetOptions, PutOptions } from './bucket.ts'
import { DurableFolders, isAbsence, syncFolder } from './durable-folders.ts'
import { readPieces, writePieces } from './file-pieces.ts'
import { assertKey } from './keys.ts'
import { linkDurably } from './linked-files.ts'
import { releasing, untilAborted } from './streams.ts'

/** A living upload writes, and so touches its file, far more often. Another process may be uploading during a sweep. */
const leftoverAgeMs = 3_600_000

/** The bucket in `folder`; `probe` makes the folder. Signed links are not offered: doors stream the bytes. */
export function openFileBucket(folder: string): Bucket {
  const incoming = join(folder, '.incoming')
  const durableFolders = new DurableFolders(folder)

  function pathOf(key: string): string {
    assertKey(key)
    return join(folder, key)
  }

  async function put(key: string, body: ByteStream, options: PutOptions = {}): Promise<number> {
    const path = pathOf(key)
    const temporary = join(incoming, randomUUID())
    const handle = await durableFolders.place(incoming, () => open(temporary, 'wx', 0o600))
    try {
      const sizeBytes = await writeDurably(handle, untilAborted(body, options.signal))
      await durableFolders.place(dirname(path), () => rename(temporary, path))
      await syncFolder(dirname(path))
      return sizeBytes
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      throw error
    }
  }

  async function putFile(key: string, file: FileToPut, options: PutOptions = {}): Promise<number> {
    const from = file.linkPath()
    const linking = { folders: durableFolders, signal: options.signal }
    const linkedBytes = from === undefined ? undefined : await linkDurably(from, pathOf(key), linking)
    return linkedBytes ?? (await put(key, file.stream(), options))
  }

  async function get(key: string, range?: ByteRange, { reusesChunks }: GetOptions = {}): Promise<ByteStream> {
    const handle = await openToRead(pathOf(key))
    try {
      const { size } = await handle.stat()
      if (range !== undefined && range.start >= size) throw new HoldfastError('RangeUnsatisfiable')
      const end = range === undefined ? size : Math.min(range.end + 1, size)
      const pieces = readPieces(handle, { start: range?.start ?? 0, end, reusesChunks })
      return releasing(pieces, () => handle.close())
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  return {
    put,
    putFile,
    get,
    stat: async (key) => statFile(pathOf(key)),
    async delete(keys) {
      for (const path of keys.map(pathOf)) await rm(path, { force: true })
    },
    list: (prefix) => listFolder(folder, '', prefix),
    openFile: async (key) => openToRead(pathOf(key)),
    signedGet: async () => undefined,
    signedPut: async () => undefined,
    async probe() {
      await durableFolders.make(incoming)
      await sweep(incoming)
    },
  }
}

async function openToRead(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    throw isAbsence(error) ? new HoldfastError('BytesMissing') : error
  }
}

/** Closes the handle in any case. */
async function writeDurably(handle: FileHandle, body: ByteStream): Promise<number> {
  try {
    const sizeBytes = await writePieces(handle, body)
    await handle.sync()
    return sizeBytes
  } finally {
    await handle.close()
  }
}

async function statFile(path: string): Promise<BytesStat | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? { sizeBytes: found.size, modifiedAt: found.mtime } : undefined
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}

/** `path` is empty or ends with a slash. A folder sorts as its keys do, with the slash behind its name. */
async function* listFolder(root: string, path: string, prefix: string): AsyncGenerator<BytesStat & { key: string }> {
  const entries = await readdir(join(root, path), { withFileTypes: true }).catch((error: unknown) => {
    if (isAbsence(error)) return []
    throw error
  })
  const paths = entries
    .filter((entry) => !entry.name.startsWith('.'))
    .map((entry) => path + entry.name + (entry.isDirectory() ? '/' : ''))
    .sort((a, b) => (a < b ? -1 : 1))
  for (const key of paths) {
    if (key.endsWith('/')) {
      if (key.startsWith(prefix) || prefix.startsWith(key)) yield* listFolder(root, key, prefix)
    } else if (key.startsWith(prefix)) {
      const found = await statFile(join(root, key))
      if (found !== undefined) yield { key, ...found }
    }
  }
}

async function sweep(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name)
    const found = await statFile(path)
    if (found !== undefined && found.modifiedAt.getTime() < Date.now() - leftoverAgeMs) await rm(path, { force: true })
  }
}
