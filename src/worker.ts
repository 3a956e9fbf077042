/** What a worker thread runs: the counterpart of compose.ts, with the tasks of all rooms that have some. */
import { SharedSpool, sharedFile } from './disk/shared-file.ts'
import { gitTasks } from './git/worker.ts'
import { serveTasks } from './threads/thread.ts'

serveTasks(
  gitTasks({
    openFile: sharedFile,
    openSpool: (descriptor) => new SharedSpool(descriptor),
  }),
)
