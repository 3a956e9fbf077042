/** Folders whose names survive a power loss: a name is durable only once the folder that holds it has been synced. */
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Makes folders durably below `root`, and remembers which it has seen to, so that a put syncs few. */
export class DurableFolders {
  readonly #root: string
  readonly #made = new Map<string, Promise<void>>()

  constructor(root: string) {
    this.#root = root
  }

  /** Others that ask for the same folder meanwhile wait for the same sync: one that exists need not be durable yet. */
  make(folder: string): Promise<void> {
    const known = this.#made.get(folder)
    if (known !== undefined) return known
    const making = this.#makeOne(folder)
    this.#made.set(folder, making)
    making.catch(() => this.#made.delete(folder))
    return making
  }

  /** Runs `place` where `folder` exists; again if it did no longer, as after an operator removed empty folders. */
  async place<T>(folder: string, place: () => Promise<T>): Promise<T> {
    await this.make(folder)
    try {
      return await place()
    } catch (error) {
      if (!isAbsence(error)) throw error
    }
    this.#made.clear()
    await this.make(folder)
    return place()
  }

  async #makeOne(folder: string): Promise<void> {
    if (folder === this.#root) {
      await mkdir(folder, { recursive: true })
    } else {
      await this.make(dirname(folder))
      await mkdir(folder).catch(ignoreExisting)
    }
    await syncFolder(dirname(folder))
  }
}

/** Makes the names in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** True where the file system says that a path, or a folder on the way to it, does not exist. */
export function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
