/** The folders in which a repository's objects lie, its own and those of its alternates, and the packs in them. */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { HoldfastError } from '../errors.ts'
import { idBytes } from '../git/object-id.ts'
import { idsAt } from '../git/pack/index-format.ts'
import { PackFile } from '../git/pack/pack-file.ts'
import { PackIndex } from '../git/pack/pack-index.ts'

const alternatesDepthMax = 5
// A running gc replaces packs: what was listed may be gone a moment later, and what replaced it is there by then.
const listingsMax = 5

/** Open packs; whoever opened them closes their descriptors. */
export interface OpenPacks {
  files: PackFile[]
  close(): void
}

/** The folder itself, and those that `info/alternates` names. Throws ObjectMissing for an alternate that is not there. */
export function withAlternates(objectsPath: string, depth = 0): string[] {
  if (!existsSync(objectsPath)) {
    throw new HoldfastError('ObjectMissing', { message: `There is no folder of objects at ${objectsPath}.` })
  }
  const list = join(objectsPath, 'info', 'alternates')
  if (!existsSync(list) || depth >= alternatesDepthMax) return [objectsPath]
  const lines = readFileSync(list, 'utf8').split('\n')
  const paths = lines.filter((line) => line !== '' && !line.startsWith('#'))
  const others = paths.flatMap((path) => withAlternates(resolve(objectsPath, path), depth + 1))
  return [...new Set([objectsPath, ...others])]
}

/**
 * Opens every pack that lies in the folders now. With `isVerified` it reads through every index and throws PackInvalid for
 * a damaged one; git takes them as they are, and finds out by the objects.
 */
export function openPacks(folders: readonly string[], isVerified = false): OpenPacks {
  const descriptors: number[] = []
  const close = () => {
    for (const descriptor of descriptors.splice(0)) closeSync(descriptor)
  }
  try {
    return { files: folders.flatMap((folder) => openPacksIn(join(folder, 'pack'), descriptors, isVerified)), close }
  } catch (error) {
    close()
    throw error
  }
}

function openPacksIn(folder: string, descriptors: number[], isVerified: boolean): PackFile[] {
  for (let listing = 1; ; listing++) {
    const opened: number[] = []
    try {
      const files = indexNames(folder).map((name) => openPack(join(folder, name), opened, isVerified))
      descriptors.push(...opened)
      return files
    } catch (error) {
      for (const descriptor of opened) closeSync(descriptor)
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || listing === listingsMax) throw error
    }
  }
}

function indexNames(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => /^pack-[0-9a-f]{40}\.idx$/.test(name))
    .sort()
}

function openPack(indexPath: string, descriptors: number[], isVerified: boolean): PackFile {
  const descriptor = openSync(indexPath.replace(/\.idx$/, '.pack'), 'r')
  descriptors.push(descriptor)
  const bytes = readFileSync(indexPath)
  const index = new PackIndex(bytes, { isChecked: !isVerified && isWhole(bytes) })
  const readPack = (into: Uint8Array, offset: number, length: number, position: number) =>
    readSync(descriptor, into, offset, length, position)
  return new PackFile(index, { sizeBytes: fstatSync(descriptor).size, readSync: readPack }, false)
}

/** False for an index that is too short for its object count: then it is read through, and refused. */
function isWhole(bytes: Buffer): boolean {
  const bytesPerObject = idBytes + 8
  return bytes.length >= idsAt && bytes.length >= idsAt + bytes.readUInt32BE(idsAt - 4) * bytesPerObject + 2 * idBytes
}
