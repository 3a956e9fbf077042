/**
 * A cache of immutable files by key, bounded in bytes. One descriptor and one fill per key however many callers ask.
 * What is open is not evicted, because unlinking it would free nothing; the rest goes, least recently used first.
 * Files may vanish at any time (an operator's `rm -r`, a second process): that costs a fill.
 */
import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Arrival, firstRange, type ReadRange } from './arrival.ts'
import type { ArrivingFile, Disk, LocalFile } from './disk.ts'
import { closeQuietly, shareDescriptor } from './local-file.ts'

export interface FileCacheOptions {
  /** Where complete files lie, named by the SHA-256 of their key. */
  folder: string
  /** Where they are while they are filled; on the same file system. */
  spoolFolder: string
  maxBytes: number
}

export type FileCache = Pick<Disk, 'open' | 'openArriving' | 'close'>

/** Opens the cache in its folder, which is made if missing; what lies there is kept, oldest use first. */
export async function openFileCache(options: FileCacheOptions): Promise<FileCache> {
  await mkdir(options.folder, { recursive: true })
  const cache = new LocalFileCache(options)
  await cache.load()
  return cache
}

interface OpenFile {
  handle: FileHandle
  sizeBytes: number
  /** Of one whose bytes still came when it was opened. */
  arrival?: Arrival
  /** Settles when such a file lies under its name, or will not. */
  kept?: Promise<void>
}

interface SharedFile {
  opening: Promise<OpenFile>
  /** Callers that wait for `opening` or hold the result. */
  references: number
}

/** A file on its way into the cache. */
interface Filling {
  path: string
  handle: FileHandle
}

class LocalFileCache implements FileCache {
  readonly #options: FileCacheOptions
  /** Size by file name, least recently used first. */
  readonly #sizes = new Map<string, number>()
  readonly #shared = new Map<string, SharedFile>()
  /** Of files that still come, or are on their way to their names. */
  readonly #keeping = new Set<Promise<void>>()
  #totalBytes = 0
  #isOpen = true

  constructor(options: FileCacheOptions) {
    this.#options = options
  }

  async load(): Promise<void> {
    const files = []
    for (const name of await readdir(this.#options.folder)) {
      const found = await stat(this.#pathOf(name)).catch(() => undefined)
      if (found?.isFile()) files.push({ name, sizeBytes: found.size, usedAt: found.mtimeMs })
    }
    files.sort((a, b) => a.usedAt - b.usedAt)
    for (const file of files) this.#remember(file.name, file.sizeBytes)
    await this.#evict()
  }

  async open(key: string, fill: () => Promise<AsyncIterable<Uint8Array>>): Promise<LocalFile> {
    const file = await this.#hold(key, (name) => this.#fill(name, fill))
    try {
      await file.arrival?.whole
    } catch (error) {
      file.close()
      throw error
    }
    return file
  }

  async openArriving(key: string, sizeBytes: number, read: ReadRange): Promise<ArrivingFile> {
    const file = await this.#hold(key, (name) => this.#receive(name, sizeBytes, read))
    const { arrival } = file
    if (arrival === undefined) return file
    return {
      ...file,
      arrival,
      async readViews(views, position, signal) {
        let end = position
        for (const view of views) end += view.length
        await arrival.until(end, signal)
        await file.readViews(views, position)
      },
    }
  }

  /** Waits for fills under way. Files that are still held stay readable until their holders close them. */
  async close(): Promise<void> {
    this.#isOpen = false
    await Promise.allSettled([...this.#shared.values()].map((shared) => shared.opening))
    await Promise.all(this.#keeping)
  }

  /** A share of the file, which the first who asks opens or, where it is not cached, lets `fill` bring. */
  async #hold(key: string, fill: (name: string) => Promise<OpenFile>): Promise<ArrivingFile> {
    if (!this.#isOpen) throw new Error('This disk was closed.')
    const name = createHash('sha256').update(key).digest('hex')
    const shared = this.#shared.get(name) ?? this.#share(name, fill)
    shared.references += 1
    const file = await shared.opening
    const release = () => this.#release(name, shared, file)
    return { ...shareDescriptor(file.handle.fd, file.sizeBytes, release), arrival: file.arrival }
  }

  #share(name: string, fill: (name: string) => Promise<OpenFile>): SharedFile {
    const shared: SharedFile = { opening: this.#openOrFill(name, fill), references: 0 }
    this.#shared.set(name, shared)
    shared.opening.then(
      ({ arrival }) => arrival?.whole.catch(() => this.#unshare(name, shared)),
      () => this.#unshare(name, shared),
    )
    return shared
  }

  #unshare(name: string, shared: SharedFile): void {
    if (this.#shared.get(name) === shared) this.#shared.delete(name)
  }

  #release(name: string, shared: SharedFile, file: OpenFile): void {
    shared.references -= 1
    if (shared.references > 0) return
    const { arrival, kept } = file
    if (arrival !== undefined && arrival.arrivedBytes < file.sizeBytes) {
      this.#unshare(name, shared)
      arrival.cancel(new Error('Nobody reads this file any more.'))
    }
    const close = () => {
      if (shared.references === 0) this.#close(name, shared, file)
    }
    if (kept === undefined) close()
    else void kept.then(close)
  }

  #close(name: string, shared: SharedFile, file: OpenFile): void {
    this.#unshare(name, shared)
    closeQuietly(file.handle)
    if (this.#sizes.has(name)) this.#remember(name, file.sizeBytes)
    this.#evict().catch(ignore)
  }

  async #openOrFill(name: string, fill: (name: string) => Promise<OpenFile>): Promise<OpenFile> {
    const file = (await this.#openCached(name)) ?? (await fill(name))
    await this.#evict().catch(ignore)
    return file
  }

  async #openCached(name: string): Promise<OpenFile | undefined> {
    const handle = await open(this.#pathOf(name), 'r').catch(undefinedIfAbsent)
    if (handle === undefined) {
      this.#forget(name)
      return undefined
    }
    try {
      const { size } = await handle.stat()
      // The order of use outlives the process in the file's times. A read-only cache loses just that.
      const now = new Date()
      await handle.utimes(now, now).catch(ignore)
      this.#remember(name, size)
      return { handle, sizeBytes: size }
    } catch (error) {
      closeQuietly(handle)
      throw error
    }
  }

  async #fill(name: string, fill: () => Promise<AsyncIterable<Uint8Array>>): Promise<OpenFile> {
    const filling = await this.#begin()
    try {
      await writeFrom(filling.handle, await fill())
      return { handle: filling.handle, sizeBytes: await this.#keep(name, filling) }
    } catch (error) {
      await abandon(filling)
      throw error
    }
  }

  /** Opens what has yet to come, once the first range is there to be read. */
  async #receive(name: string, sizeBytes: number, read: ReadRange): Promise<OpenFile> {
    const filling = await this.#begin()
    const first = await read(firstRange(sizeBytes)).catch(async (error: unknown) => {
      await abandon(filling)
      throw error
    })
    const { handle, path } = filling
    const arrival = new Arrival(handle, sizeBytes, read, first)
    // A file that cannot be kept still serves those who have it open.
    const kept = arrival.whole
      .then(() => this.#keep(name, filling))
      .then(ignore, () => rm(path, { force: true }).catch(ignore))
    this.#keeping.add(kept)
    void kept.then(() => this.#keeping.delete(kept))
    return { handle, sizeBytes, arrival, kept }
  }

  async #begin(): Promise<Filling> {
    await mkdir(this.#options.spoolFolder, { recursive: true })
    const path = join(this.#options.spoolFolder, `${randomUUID()}.filling`)
    return { path, handle: await open(path, 'wx+', 0o600) }
  }

  /** Gives the file its name; resolves to its size. */
  async #keep(name: string, { path, handle }: Filling): Promise<number> {
    // A file that a power loss truncated or zeroed behind its final name would be taken for the real one.
    await handle.datasync()
    const { size } = await handle.stat()
    if (await this.#moveIn(path, name)) this.#remember(name, size)
    return size
  }

  /** False when the file lost its name meanwhile: the descriptor serves, and the next open fills again. */
  async #moveIn(path: string, name: string): Promise<boolean> {
    await mkdir(this.#options.folder, { recursive: true })
    const moved = await rename(path, this.#pathOf(name)).then(() => true, undefinedIfAbsent)
    return moved === true
  }

  #pathOf(name: string): string {
    return join(this.#options.folder, name)
  }

  #remember(name: string, sizeBytes: number): void {
    this.#forget(name)
    this.#sizes.set(name, sizeBytes)
    this.#totalBytes += sizeBytes
  }

  #forget(name: string): void {
    this.#totalBytes -= this.#sizes.get(name) ?? 0
    this.#sizes.delete(name)
  }

  async #evict(): Promise<void> {
    for (const name of [...this.#namesToEvict()]) {
      await rm(this.#pathOf(name), { force: true })
    }
  }

  *#namesToEvict(): Generator<string> {
    for (const name of [...this.#sizes.keys()]) {
      if (this.#totalBytes <= this.#options.maxBytes) return
      if (this.#shared.has(name)) continue
      this.#forget(name)
      yield name
    }
  }
}

async function abandon({ handle, path }: Filling): Promise<void> {
  closeQuietly(handle)
  await rm(path, { force: true }).catch(ignore)
}

async function writeFrom(handle: FileHandle, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of bytes) {
    for (let done = 0; done < chunk.length; ) {
      done += (await handle.write(chunk, done)).bytesWritten
    }
  }
}

/** A file that cannot be evicted is no reason to refuse one that can be read; the next start tries again and says so. */
function ignore(): void {}

function undefinedIfAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
