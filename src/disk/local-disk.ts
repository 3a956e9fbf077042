/** The Disk port on a local folder: `cache/` for complete files, `spool/` for what is being written. */
import { access, constants, mkdir, readdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { openFileCache } from './cache.ts'
import type { Disk } from './disk.ts'
import { createSpoolFile } from './spool.ts'
import { createSpoolBudget } from './spool-budget.ts'

export interface DiskOptions {
  folder: string
  cacheMaxBytes: number
  /** What all spools may hold together. */
  spoolMaxBytes: number
}

/** Opens the disk in `folder`, made if missing, and sweeps what a crashed process left there. */
export async function openDisk({ folder, cacheMaxBytes, spoolMaxBytes }: DiskOptions): Promise<Disk> {
  const spoolFolder = join(folder, 'spool')
  await mkdir(spoolFolder, { recursive: true })
  await sweep(spoolFolder)
  const cache = await openFileCache({ folder: join(folder, 'cache'), spoolFolder, maxBytes: cacheMaxBytes })
  const budget = createSpoolBudget(spoolMaxBytes)
  return {
    cacheMaxBytes,
    open: (key, fill) => cache.open(key, fill),
    openArriving: (key, sizeBytes, read) => cache.openArriving(key, sizeBytes, read),
    createSpool: () => createSpoolFile(spoolFolder, budget),
    freeBytes: () => freeBytesIn(folder),
    close: () => cache.close(),
  }
}

async function freeBytesIn(folder: string): Promise<number> {
  await access(folder, constants.W_OK | constants.X_OK)
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

/** Files of a living process may be among them: it reads and writes by descriptor, and only has to fill again later. */
async function sweep(spoolFolder: string): Promise<void> {
  for (const name of await readdir(spoolFolder)) await rm(join(spoolFolder, name), { recursive: true, force: true })
}
