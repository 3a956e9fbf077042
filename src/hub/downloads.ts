/**
 * Downloads, counted in memory and written together every few seconds: no request waits for a write. A server that is
 * killed loses the counts of its last seconds.
 */
import { addDownloads, expireDownloads } from '../database/downloads.ts'
import { refreshTrending } from '../database/likes.ts'
import type { RepoId } from '../database/queryable.ts'
import type { Hub } from './hub.ts'
import type { RepoType } from './repo.ts'

/**
 * Every request for one of these counts as a download, GET and HEAD alike, as the Hub has it: they are what a library asks
 * for first, so that a repository counts once however many files it has.
 */
const countedNames: Record<RepoType, readonly string[]> = {
  model: ['config.json', 'config.yaml', 'hyperparams.yaml', 'meta.yaml', 'params.json', ...ofOtherLibraries()],
  // `load_dataset` begins with the card.
  dataset: ['README.md'],
  space: [],
}
const countedEndings = ['.gguf', '.nemo', '.keras', '.mlmodel', '.ckpt']

/** What stands in for config.json where a library has none in the root folder. */
function ofOtherLibraries(): string[] {
  return ['adapter_config.json', 'model_index.json', 'keras_metadata.pb', 'saved_model.pb']
}

/** Whether a request for this file of a repository is one download of it. */
export function isCountedFile(type: RepoType, path: string): boolean {
  if (countedNames[type].includes(path)) return true
  return type === 'model' && !path.includes('/') && countedEndings.some((ending) => path.endsWith(ending))
}

export interface DownloadCounts {
  /** One download more. */
  count(repoId: RepoId): void
  /** Writes what was counted. Rejects where that fails: then it is kept. */
  flush(): Promise<void>
  /** Writes what is left, and counts no more. */
  close(): Promise<void>
}

/** The counts of one server. */
export function countDownloads(hub: Hub): DownloadCounts {
  let counted = new Map<RepoId, number>()
  const timer = setInterval(() => {
    flush().catch((err) => hub.logger.warn({ err }, 'downloads wait to be noted'))
  }, hub.config.limits.downloadsFlushMs)
  timer.unref()

  function count(repoId: RepoId, times = 1): void {
    counted.set(repoId, (counted.get(repoId) ?? 0) + times)
  }

  async function flush(): Promise<void> {
    if (counted.size === 0) return
    const taken = counted
    counted = new Map()
    try {
      await addDownloads(hub.database, taken)
    } catch (error) {
      for (const [repoId, times] of taken) count(repoId, times)
      throw error
    }
  }

  return {
    count: (repoId) => count(repoId),
    flush,
    close: async () => {
      clearInterval(timer)
      await flush()
    },
  }
}

/** Takes days that are past out of the counts of the last thirty, and of the last seven. */
export async function expireCounts(hub: Hub): Promise<void> {
  await expireDownloads(hub.database)
  await refreshTrending(hub.database)
}
