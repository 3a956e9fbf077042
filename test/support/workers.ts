/** Workers as tests want them: none, so that what a task does is seen at once, or real threads. */
import type { Test } from 'tap'
import { SharedSpool, sharedFile } from '../../src/disk/shared-file.ts'
import { type FormatTasks, formatTasks } from '../../src/formats/worker.ts'
import { type GitTasks, gitTasks } from '../../src/git/worker.ts'
import { createLogger, type Logger } from '../../src/logger.ts'
import { openThreadPool, type ThreadPool } from '../../src/threads/pool.ts'
import { sameThread } from '../../src/threads/same-thread.ts'
import type { Workers } from '../../src/work.ts'

/** The tasks of src/worker.ts, on this thread. */
export function workersHere(): Workers<GitTasks & FormatTasks> {
  return sameThread<GitTasks & FormatTasks>({
    ...formatTasks,
    ...gitTasks({
      openFile: sharedFile,
      readBlock: () => {
        throw new Error('Nothing can stand still here.')
      },
      openSpool: (descriptor) => new SharedSpool(descriptor),
    }),
  })
}

/** The pool as compose.ts opens it. */
export function openWorkers(
  t: Test,
  size: number,
  logger: Logger = createLogger('silent'),
): ThreadPool<GitTasks & FormatTasks> {
  const pool = openThreadPool<GitTasks & FormatTasks>({
    entry: new URL('../../src/worker.ts', import.meta.url),
    size,
    logger,
  })
  t.teardown(() => pool.close())
  return pool
}
