/** Tasks run by whoever asks for them, in the same thread: for commands, and for tests of what tasks do. */
import type { Task, TaskOptions, TaskTable, Workers } from '../work.ts'
import { BytesIn, BytesOut } from './bytes.ts'
import { type StartedTask, workersOver } from './workers.ts'

/** Workers without threads. */
export function sameThread<Tasks extends TaskTable<Tasks>>(tasks: Tasks): Workers<Tasks> {
  return {
    ...workersOver<Tasks>((name, input, options) => startHere(tasks[name as keyof Tasks], input, options)),
    // Nothing can stand still here: what would ask has to run in a thread.
    answerWith: () => {},
  }
}

function startHere(task: Task<never, unknown>, input: unknown, options: TaskOptions): StartedTask {
  const left = new AbortController()
  const bytesIn = new BytesIn((count, free) => bytesOut.taken(count, free))
  const bytesOut = new BytesOut((piece) => bytesIn.push(piece))
  const ended = task(input as never, {
    bytes: options.bytes ?? noBytes(),
    write: (chunk) => bytesOut.write(chunk),
    tell: (note) => options.onNote?.(note),
    signal: options.signal === undefined ? left.signal : AbortSignal.any([options.signal, left.signal]),
  }).finally(() => {
    bytesOut.flush()
    bytesIn.end()
  })
  // Whoever reads the bytes first asks for it only afterwards.
  ended.catch(() => {})
  const cancel = (reason: unknown) => {
    left.abort(reason)
    bytesOut.close(reason)
  }
  return { bytes: bytesIn, ended, cancel }
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}
