/**
 * The port to work that may run in another thread: tasks by name, each with an input that can be copied, bytes going in
 * and coming out, and a result. Who asks for a task does not know where it runs (`threads/` does it in worker threads, or
 * here), and a task does not know it either.
 */

/** What a running task has to do with whoever asked for it. */
export interface TaskContext {
  /** The bytes sent along; none where the caller sends nothing. */
  readonly bytes: AsyncIterable<Uint8Array>
  /** Gives bytes to the caller, who has a copy when it resolves; that is when there is room for more. */
  write(chunk: Uint8Array): Promise<void>
  /** Tells the caller something on the way. Must be something that can be copied. */
  tell(note: unknown): void
  /** Fires when the caller has lost interest. */
  readonly signal: AbortSignal
}

/** Input and output cross between threads by structured clone: plain values, typed arrays, SharedArrayBuffers. */
export type Task<Input, Output> = (input: Input, context: TaskContext) => Promise<Output>

const disposable = new WeakSet<ArrayBufferLike>()

/** Says that the memory of `chunk` belongs to it alone, and to nobody who has passed it on. */
export function markDisposable(chunk: Uint8Array): void {
  if (chunk.byteLength === chunk.buffer.byteLength) disposable.add(chunk.buffer)
}

/**
 * Frees the memory of bytes that were marked so and have been copied elsewhere. V8 counts it as its own heap: left to the
 * garbage collector, each 40 MB of a push would cost a collection of everything.
 */
export function freeIfDisposable({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength && disposable.delete(buffer)) buffer.transfer(0)
}

/** A table of tasks, by name. */
export type TaskTable<Tasks> = { [Name in keyof Tasks]: Task<never, unknown> }

export type InputOf<T> = T extends Task<infer Input, unknown> ? Input : never
export type OutputOf<T> = T extends Task<never, infer Output> ? Output : never

export interface TaskOptions {
  /** Read to its end, or left with `return()`, before the task counts as ended. Chunks marked as disposable are freed. */
  bytes?: AsyncIterable<Uint8Array>
  onNote?: (note: unknown) => void
  signal?: AbortSignal
  /** The task may stand still while it asks for bytes: it must not hold up those that have something to do. */
  mayStandStill?: boolean
}

export interface Workers<Tasks extends TaskTable<Tasks>> {
  /** Who answers what tasks ask while they stand still: puts the answer into `into`, resolves to its length. */
  answerWith(answer: (question: unknown, into: Uint8Array) => Promise<number>): void
  /** How many tasks run now. */
  runningTasks(): number
  /**
   * Resolves to what the task returns, rejects with what it throws; with Unavailable where its thread died. When it
   * settles the task has ended: nothing that was lent to it is used any more.
   */
  run<Name extends keyof Tasks & string>(
    name: Name,
    input: InputOf<Tasks[Name]>,
    options?: TaskOptions,
  ): Promise<OutputOf<Tasks[Name]>>
  /** What the task writes; then returns or throws as `run` does. Leaving it cancels the task and waits for its end. */
  stream<Name extends keyof Tasks & string>(
    name: Name,
    input: InputOf<Tasks[Name]>,
    options?: TaskOptions,
  ): AsyncGenerator<Uint8Array, OutputOf<Tasks[Name]>>
}
