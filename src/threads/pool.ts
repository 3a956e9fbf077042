/**
 * A pool of worker threads. A thread takes several tasks and gives each its turns, because a task that waits for a slow
 * client must not keep the others from the processor; new ones go to the thread that has least to do. Threads start when
 * they are needed, and one that dies takes only its own tasks with it. One that has worked and then idles is ended, since
 * its heap stays as large as its largest task made it.
 */
import { MessageChannel, Worker } from 'node:worker_threads'
import { HoldfastError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { TaskOptions, TaskTable, Workers } from '../work.ts'
import type { Question, TaskStart } from './messages.ts'
import { type AnswerQuestion, answerQuestion } from './questions.ts'
import { RemoteTask } from './remote-task.ts'
import { workersOver } from './workers.ts'

export interface ThreadPoolOptions {
  /** The module that a thread runs: it calls `serveTasks`. */
  entry: URL
  /** How many threads there may be, at least 1. */
  size: number
  logger: Logger
  /** Starts the threads now: that takes some milliseconds each, in which a server answers nobody. */
  startsNow?: boolean
  /** How long a thread that has worked may idle. */
  idleMs?: number
}

export interface ThreadPool<Tasks extends TaskTable<Tasks>> extends Workers<Tasks> {
  /** How many tasks run in each thread that is alive. */
  load(): number[]
  /** Waits for the running tasks, then ends the threads. */
  close(): Promise<void>
}

interface Thread {
  worker: Worker
  tasks: Set<RemoteTask>
  /** Ends it while it idles. */
  retirement?: NodeJS.Timeout
  /** Of those threads that tasks which stand still have for themselves. */
  mayStandStill: boolean
}

// They use next to no processor; each of their tasks stops the others of its thread.
const stillThreadsMax = 4
const defaultIdleMs = 30_000

/** A pool that starts its threads when tasks come. */
export function openThreadPool<Tasks extends TaskTable<Tasks>>(options: ThreadPoolOptions): ThreadPool<Tasks> {
  const threads = new Set<Thread>()
  let isClosing = false
  let answer: AnswerQuestion = () => Promise.reject(new Error('Nobody answers questions.'))

  function startThread(mayStandStill: boolean): Thread {
    const worker = new Worker(options.entry, { name: 'holdfast worker' })
    const thread: Thread = { worker, tasks: new Set(), mayStandStill }
    worker.on('message', (question: Question) => void answerQuestion(question, answer))
    worker.on('error', (err) => options.logger.error({ err }, 'a worker thread died'))
    worker.on('exit', () => {
      threads.delete(thread)
      for (const task of thread.tasks) task.fail(new HoldfastError('Unavailable'))
    })
    threads.add(thread)
    return thread
  }

  /** The server's threads are replaced: the next task finds one that has started. */
  function retire(thread: Thread): void {
    threads.delete(thread)
    void thread.worker.terminate()
    if (options.startsNow && !thread.mayStandStill && !isClosing) startThread(false).worker.unref()
  }

  function chooseThread(mayStandStill: boolean): Thread {
    const fitting = [...threads].filter((thread) => thread.mayStandStill === mayStandStill)
    const [idlest] = fitting.sort((a, b) => a.tasks.size - b.tasks.size)
    if (idlest === undefined) return startThread(mayStandStill)
    const max = mayStandStill ? stillThreadsMax : options.size
    return idlest.tasks.size > 0 && fitting.length < max ? startThread(mayStandStill) : idlest
  }

  function start(name: string, input: unknown, taskOptions: TaskOptions): RemoteTask {
    if (isClosing) throw new HoldfastError('Unavailable', { message: 'The server is stopping.' })
    const thread = chooseThread(taskOptions.mayStandStill ?? false)
    const { port1, port2 } = new MessageChannel()
    const message: TaskStart = { name, input, port: port2 }
    thread.worker.postMessage(message, [port2])
    const task = new RemoteTask(port1, taskOptions)
    thread.tasks.add(task)
    clearTimeout(thread.retirement)
    // A process may end while its threads idle, not while one works.
    thread.worker.ref()
    const leave = () => {
      thread.tasks.delete(task)
      if (thread.tasks.size > 0) return
      thread.worker.unref()
      thread.retirement = setTimeout(() => retire(thread), options.idleMs ?? defaultIdleMs).unref()
    }
    task.ended.then(leave, leave)
    return task
  }

  for (let count = 0; options.startsNow && count < options.size; count++) startThread(false).worker.unref()

  return {
    ...workersOver<Tasks>(start),
    answerWith: (newAnswer) => {
      answer = newAnswer
    },
    load: () => Array.from(threads, ({ tasks }) => tasks.size),
    async close() {
      isClosing = true
      const running = [...threads].flatMap(({ tasks }) => [...tasks])
      await Promise.allSettled(running.map((task) => task.ended))
      for (const { retirement } of threads) clearTimeout(retirement)
      await Promise.all(Array.from(threads, ({ worker }) => worker.terminate()))
    },
  }
}
