/** One task in a worker thread, seen from the thread that asked for it. */
import type { MessagePort } from 'node:worker_threads'
import { freeIfDisposable, type TaskOptions } from '../work.ts'
import { BytesIn, BytesOut } from './bytes.ts'
import { type FromThread, readError, type ToThread, writeError } from './messages.ts'

export class RemoteTask {
  /** What the task writes. */
  readonly bytes: BytesIn
  /** Settles when the task has ended and nothing of it is under way here either. */
  readonly ended: Promise<unknown>
  readonly #port: MessagePort
  readonly #bytesOut: BytesOut
  readonly #options: TaskOptions
  readonly #outcome = Promise.withResolvers<unknown>()
  #sourceFailure: unknown

  /** `port` is the near end of the channel whose far end the thread was given. */
  constructor(port: MessagePort, options: TaskOptions) {
    this.#port = port
    this.#options = options
    this.bytes = new BytesIn((bytes, free) => {
      this.#post({ kind: 'taken', bytes, free }, free === undefined ? [] : [free])
    })
    this.#bytesOut = new BytesOut((bytes) => this.#post({ kind: 'bytes', bytes }, [bytes.buffer]))
    port.on('message', (message: FromThread) => this.#hear(message))
    this.ended = this.#attend()
  }

  /** Tells the task to stop. */
  cancel(reason: unknown): void {
    this.#post({ kind: 'abort', error: writeError(reason) })
  }

  /** The task ends with `error`: its thread is gone. */
  fail(error: unknown): void {
    this.#outcome.reject(error)
  }

  async #attend(): Promise<unknown> {
    const { signal, bytes } = this.#options
    const cancel = () => this.cancel(signal?.reason)
    signal?.addEventListener('abort', cancel, { once: true })
    if (signal?.aborted) cancel()
    const pumped = bytes === undefined ? this.#post({ kind: 'end' }) : this.#pump(bytes)
    try {
      return await this.#outcome.promise
    } catch (error) {
      // The errors themselves, rather than their copies that came back.
      if (signal?.aborted) throw signal.reason
      throw this.#sourceFailure ?? error
    } finally {
      signal?.removeEventListener('abort', cancel)
      this.#bytesOut.close(new Error('The task has ended.'))
      // Until then the source is being read: whoever owns it could not read on.
      await pumped
      this.bytes.end()
      this.#port.close()
    }
  }

  /** Sends the source's bytes until it ends or they are wanted no more, when it is left with `return()`. Never rejects. */
  async #pump(source: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of source) {
        await this.#bytesOut.write(chunk)
        freeIfDisposable(chunk)
      }
      this.#bytesOut.flush()
      this.#post({ kind: 'end' })
    } catch (error) {
      this.#sourceFailure = error
      this.#post({ kind: 'broken', error: writeError(error) })
    }
  }

  #hear(message: FromThread): void {
    if (message.kind === 'bytes') this.bytes.push(message.bytes)
    else if (message.kind === 'taken') this.#bytesOut.taken(message.bytes, message.free)
    else if (message.kind === 'note') this.#options.onNote?.(message.note)
    else if (message.kind === 'done') this.#outcome.resolve(message.output)
    else if (message.kind === 'failed') this.#outcome.reject(readError(message.error))
  }

  #post(message: ToThread, transferred: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transferred)
  }
}
