/** The inside of a worker thread: runs the tasks it is told to, several at once where they wait for each other's turns. */
import { type MessagePort, parentPort } from 'node:worker_threads'
import type { Task, TaskTable } from '../work.ts'
import { BytesIn, BytesOut } from './bytes.ts'
import { type FromThread, readError, type TaskStart, type ToThread, writeError } from './messages.ts'

/** Serves the pool that started this thread. */
export function serveTasks<Tasks extends TaskTable<Tasks>>(tasks: Tasks): void {
  parentPort!.on('message', ({ name, input, port }: TaskStart) => {
    void serveTask(tasks[name as keyof Tasks] as unknown as Task<unknown, unknown>, input, port)
  })
}

async function serveTask(task: Task<unknown, unknown>, input: unknown, port: MessagePort): Promise<void> {
  const post = (message: FromThread, transferred: ArrayBuffer[] = []) => port.postMessage(message, transferred)
  const left = new AbortController()
  const bytesIn = new BytesIn((bytes, free) => post({ kind: 'taken', bytes, free }, free === undefined ? [] : [free]))
  const bytesOut = new BytesOut((bytes) => post({ kind: 'bytes', bytes }, [bytes.buffer]))
  port.on('message', (message: ToThread) => {
    if (message.kind === 'bytes') bytesIn.push(message.bytes)
    else if (message.kind === 'end') bytesIn.end()
    else if (message.kind === 'broken') bytesIn.end(readError(message.error))
    else if (message.kind === 'taken') bytesOut.taken(message.bytes, message.free)
    else {
      const error = readError(message.error)
      left.abort(error)
      bytesIn.end(error)
      bytesOut.close(error)
    }
  })
  try {
    const output = await task(input, {
      bytes: bytesIn,
      write: (chunk) => bytesOut.write(chunk),
      tell: (note) => post({ kind: 'note', note }),
      signal: left.signal,
    })
    bytesOut.flush()
    post({ kind: 'done', output })
  } catch (error) {
    post({ kind: 'failed', error: writeError(error) })
  }
}
