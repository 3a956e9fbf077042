/** A small pack taken apart into loose objects, as `git unpack-objects` does, so that many small pushes make no many packs. */
import { availableParallelism } from 'node:os'
import { objectIdBytes } from '../git/object-id.ts'
import { PackFile } from '../git/pack/pack-file.ts'
import { PackIndex } from '../git/pack/pack-index.ts'
import { PackSet } from '../git/pack/pack-set.ts'
import type { StoredPack } from './complete-pack.ts'
import { writeLooseObject } from './loose-objects.ts'

/** Writes every object that `wantedIndex` lists: all of the pack's but the bases that made it complete. */
export async function explodePack(folder: string, pack: StoredPack, wantedIndex: Buffer): Promise<void> {
  const file = new PackFile(new PackIndex(pack.index), pack.bytes, false)
  const objects = new PackSet([file], { objectHeldMaxBytes: 2 ** 31 })
  const wanted = new PackIndex(wantedIndex)
  let next = 0
  // Most of the time goes into waiting until each file is on the disk.
  const writers = Array.from({ length: availableParallelism() * 2 }, async () => {
    while (next < wanted.objectCount) {
      const id = wanted.idAt(next++)
      const ordinal = objects.locate(objectIdBytes(id))
      await writeLooseObject(folder, id, { ...objects.stat(ordinal), content: objects.stream(ordinal) })
    }
  })
  await Promise.all(writers)
}
