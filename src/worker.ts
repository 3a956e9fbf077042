/** What a worker thread runs: the counterpart of compose.ts, with the tasks of all rooms that have some. */
import { SharedSpool, sharedFile } from './disk/shared-file.ts'
import { lowerThreadPriority } from './disk/thread-priority.ts'
import { formatTasks } from './formats/worker.ts'
import { gitTasks } from './git/worker.ts'
import type { BlockQuestion } from './repository/pack-blocks.ts'
import { askSync } from './threads/questions.ts'
import { serveTasks } from './threads/thread.ts'

lowerThreadPriority()
serveTasks({
  ...formatTasks,
  ...gitTasks({
    openFile: sharedFile,
    readBlock: (source, block, blockBytes) => askSync({ source, block } satisfies BlockQuestion, blockBytes),
    openSpool: (descriptor) => new SharedSpool(descriptor),
  }),
})
