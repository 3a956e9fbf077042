/** The two ways to ask for a task, over whatever starts one. */
import type { InputOf, OutputOf, TaskOptions, TaskTable, Workers } from '../work.ts'

export interface StartedTask {
  /** What the task writes; ends when the task does. */
  bytes: AsyncIterable<Uint8Array>
  /** Settles when the task has ended, to its output. */
  ended: Promise<unknown>
  cancel(reason: unknown): void
}

export type StartTask = (name: string, input: unknown, options: TaskOptions) => StartedTask

/** Workers whose tasks `start` starts. */
export function workersOver<Tasks extends TaskTable<Tasks>>(startTask: StartTask): Omit<Workers<Tasks>, 'answerWith'> {
  let runningTasks = 0
  function start(...asked: Parameters<StartTask>): StartedTask {
    const task = startTask(...asked)
    runningTasks++
    const leave = () => runningTasks--
    task.ended.then(leave, leave)
    return task
  }
  return {
    runningTasks: () => runningTasks,
    run: async <Name extends keyof Tasks & string>(
      name: Name,
      input: InputOf<Tasks[Name]>,
      options: TaskOptions = {},
    ) => (await start(name, input, options).ended) as OutputOf<Tasks[Name]>,
    async *stream<Name extends keyof Tasks & string>(
      name: Name,
      input: InputOf<Tasks[Name]>,
      options: TaskOptions = {},
    ) {
      const task = start(name, input, options)
      let isWhole = false
      try {
        yield* task.bytes
        isWhole = true
      } finally {
        if (!isWhole) {
          task.cancel(new Error('The reader left.'))
          await task.ended.catch(() => {})
        }
      }
      return (await task.ended) as OutputOf<Tasks[Name]>
    },
  }
}
