/** What becomes of each command of a push: the first reason against it stands. */
import type { RefCommand, RefResult } from '../git/repository.ts'

export class PushFates {
  readonly #commands: readonly RefCommand[]
  readonly #reasons = new Map<string, string>()
  readonly #settled = new Set<string>()

  constructor(commands: readonly RefCommand[]) {
    this.#commands = commands
  }

  /** Those that nothing was said against so far. */
  open(): RefCommand[] {
    return this.#commands.filter(({ name }) => !this.#reasons.has(name))
  }

  /** Of these, those that are still to be done. */
  undone(): RefCommand[] {
    return this.open().filter(({ name }) => !this.#settled.has(name))
  }

  /** The command is granted and leaves nothing to do: another does it, or it is so already. */
  settle(name: string): void {
    this.#settled.add(name)
  }

  refuse(name: string, reason: string): void {
    if (!this.#reasons.has(name)) this.#reasons.set(name, reason)
  }

  /** Everything that is still open. */
  refuseAll(reason: string): void {
    for (const { name } of this.#commands) this.refuse(name, reason)
  }

  hasRefusals(): boolean {
    return this.#reasons.size > 0
  }

  results(): RefResult[] {
    return this.#commands.map(({ name }) => ({ name, reason: this.#reasons.get(name) }))
  }
}
