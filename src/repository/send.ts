/** Sends packs from worker threads. */
import type { PackSender } from '../git/host.ts'
import type { PackSet } from '../git/pack/pack-set.ts'
import type { Ground } from './ground.ts'
import { isRanged, shareObjects } from './shared-objects.ts'

/** For as long as `objects` are pinned. */
export function packSender({ workers, limits }: Ground, objects: PackSet): PackSender {
  const isAlways = isRanged(objects)
  return {
    isAlways,
    send: (order, signal) =>
      workers.stream(
        'sendPack',
        { objects: shareObjects(objects, limits), order },
        { signal, mayStandStill: isAlways },
      ),
  }
}
