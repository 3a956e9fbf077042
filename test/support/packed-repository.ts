/** Opens the packs of a repository on disk as a PackSet: what tests compare with what `git` itself says. */
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { PackFile } from '../../src/git/pack/pack-file.ts'
import { PackIndex } from '../../src/git/pack/pack-index.ts'
import { PackSet } from '../../src/git/pack/pack-set.ts'

/** `gitDir` is a bare repository or a `.git` folder. The caller closes. */
export function openPackedRepository(gitDir: string): { objects: PackSet; close(): void } {
  const folder = join(gitDir, 'objects/pack')
  const descriptors: number[] = []
  const packs = readdirSync(folder)
    .filter((name) => name.endsWith('.idx'))
    .map((name) => {
      const descriptor = openSync(join(folder, name.replace(/idx$/, 'pack')), 'r')
      descriptors.push(descriptor)
      const bytes = {
        sizeBytes: fstatSync(descriptor).size,
        readSync: (into: Uint8Array, offset: number, length: number, position: number) =>
          readSync(descriptor, into, offset, length, position),
      }
      return new PackFile(new PackIndex(readFileSync(join(folder, name))), bytes, false)
    })
  const objects = new PackSet(packs, { objectHeldMaxBytes: 16 * 1024 * 1024 })
  const close = () => {
    for (const descriptor of descriptors) closeSync(descriptor)
  }
  return { objects, close }
}
