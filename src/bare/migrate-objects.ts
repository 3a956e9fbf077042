/** New objects move out of quarantine to where everybody finds them, in git's order: a pack's index last of its files. */
import { link, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder } from './folders.ts'

const endings = ['.keep', '.pack', '.rev', '.idx']

/** Returns what removes the marks that keep the packs from a gc. Objects that are there already stay as they are named. */
export async function migrateObjects(from: string, to: string): Promise<() => Promise<void>> {
  const folders = await readdir(from)
  for (const folder of folders.filter((name) => /^[0-9a-f]{2}$/.test(name))) {
    await mkdir(join(to, folder), { recursive: true })
    for (const name of await readdir(join(from, folder))) {
      await rename(join(from, folder, name), join(to, folder, name))
    }
    await syncFolder(join(to, folder))
  }
  const kept = folders.includes('pack') ? await migratePacks(join(from, 'pack'), join(to, 'pack')) : []
  await syncFolder(to)
  return async () => {
    for (const path of kept) await rm(path, { force: true })
  }
}

async function migratePacks(from: string, to: string): Promise<string[]> {
  const names = await readdir(from)
  if (names.length === 0) return []
  await mkdir(to, { recursive: true })
  const rank = (name: string) => endings.findIndex((ending) => name.endsWith(ending))
  const kept: string[] = []
  for (const name of names.sort((a, b) => rank(a) - rank(b))) {
    if (!name.endsWith('.keep')) await rename(join(from, name), join(to, name))
    else if (await linkUnlessThere(join(from, name), join(to, name))) kept.push(join(to, name))
  }
  await syncFolder(to)
  return kept
}

/** False where somebody else keeps the same pack, who then removes the mark. */
async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
