/**
 * How many transfers may run at once: in this process, for one user, from one address. What is above waits its turn in a
 * short queue, first come first served among those who may; what is above that is refused with a time to come again.
 */
import { HoldfastError } from '../errors.ts'

export interface AdmissionLimits {
  atOnceMax: number
  perUserMax: number
  perAddressMax: number
  /** Waiting, in all and of one user or address. */
  queuedMax: number
  queuedPerCallerMax: number
  queueTimeoutMs: number
}

export interface Caller {
  /** Undefined for an anonymous one. */
  userId: string | undefined
  address: string
}

interface Waiter {
  keys: readonly string[]
  admit(): void
}

export class Admission {
  readonly #what: string
  readonly #limits: AdmissionLimits
  readonly #running = new Map<string, number>()
  readonly #queued = new Map<string, number>()
  readonly #queue = new Set<Waiter>()
  #runningCount = 0
  #refusedCount = 0

  /** `what` names the transfers in the sentence of a refusal: `pushes`. */
  constructor(what: string, limits: AdmissionLimits) {
    this.#what = what
    this.#limits = limits
  }

  /** For metrics. */
  get counts(): { running: number; queued: number; refused: number } {
    return { running: this.#runningCount, queued: this.#queue.size, refused: this.#refusedCount }
  }

  /** Throws RateLimited where `enter` would now, without taking a place. */
  check(caller: Caller): void {
    const keys = keysOf(caller)
    if (!this.#mayRun(keys) && !this.#mayQueue(keys)) throw this.#refusal()
  }

  /**
   * A place for one transfer; the returned function gives it back, once. Waits for one. Throws RateLimited where too many
   * wait already, or after `queueTimeoutMs`; the signal's reason once it fires.
   */
  async enter(caller: Caller, signal: AbortSignal): Promise<() => void> {
    const keys = keysOf(caller)
    signal.throwIfAborted()
    if (!this.#mayRun(keys)) await this.#wait(keys, signal)
    else this.#start(keys)
    let hasLeft = false
    return () => {
      if (hasLeft) return
      hasLeft = true
      this.#end(keys)
    }
  }

  async #wait(keys: readonly string[], signal: AbortSignal): Promise<void> {
    if (!this.#mayQueue(keys)) throw this.#refusal()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter: Waiter = { keys, admit: resolve }
    const giveUp = (error: unknown) => {
      this.#unqueue(waiter)
      reject(error)
    }
    const late = setTimeout(() => giveUp(this.#refusal()), this.#limits.queueTimeoutMs)
    const leave = () => giveUp(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    this.#queue.add(waiter)
    for (const key of keys) add(this.#queued, key, 1)
    try {
      await promise
    } finally {
      clearTimeout(late)
      signal.removeEventListener('abort', leave)
    }
  }

  #unqueue(waiter: Waiter): void {
    if (this.#queue.delete(waiter)) for (const key of waiter.keys) add(this.#queued, key, -1)
  }

  #start(keys: readonly string[]): void {
    this.#runningCount++
    for (const key of keys) add(this.#running, key, 1)
  }

  #end(keys: readonly string[]): void {
    this.#runningCount--
    for (const key of keys) add(this.#running, key, -1)
    for (const waiter of this.#queue) {
      if (this.#runningCount >= this.#limits.atOnceMax) return
      if (!this.#mayRun(waiter.keys)) continue
      // Its place is taken before it wakes, so that nobody comes between.
      this.#unqueue(waiter)
      this.#start(waiter.keys)
      waiter.admit()
    }
  }

  #mayRun(keys: readonly string[]): boolean {
    const { atOnceMax, perUserMax, perAddressMax } = this.#limits
    const [address, user] = keys
    if (this.#runningCount >= atOnceMax || (this.#running.get(address) ?? 0) >= perAddressMax) return false
    return user === undefined || (this.#running.get(user) ?? 0) < perUserMax
  }

  #mayQueue(keys: readonly string[]): boolean {
    const { queuedMax, queuedPerCallerMax } = this.#limits
    return this.#queue.size < queuedMax && keys.every((key) => (this.#queued.get(key) ?? 0) < queuedPerCallerMax)
  }

  #refusal(): HoldfastError {
    this.#refusedCount++
    const retryAfterSeconds = Math.ceil(this.#limits.queueTimeoutMs / 1000)
    return new HoldfastError('RateLimited', {
      message: `Too many ${this.#what} at once. Try again in ${retryAfterSeconds} seconds.`,
      details: { retryAfterSeconds },
    })
  }
}

function keysOf({ userId, address }: Caller): string[] {
  return userId === undefined ? [`address ${address}`] : [`address ${address}`, `user ${userId}`]
}

/** Counts that are 0 are not kept: there are as many keys as callers. */
function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}
