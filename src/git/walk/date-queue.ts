/** Commits by committer date, newest first: the order in which histories are walked. */
import type { Ordinal } from '../repository.ts'

export class DateQueue {
  readonly #commits: Ordinal[] = []
  readonly #dates: number[] = []

  get length(): number {
    return this.#commits.length
  }

  /** The newest commit's date. The queue must not be empty. */
  get newestDate(): number {
    return this.#dates[0]
  }

  push(commit: Ordinal, date: number): void {
    let at = this.#commits.push(commit) - 1
    this.#dates.push(date)
    while (at > 0) {
      const above = (at - 1) >> 1
      if (this.#dates[above] >= date) break
      this.#place(at, this.#commits[above], this.#dates[above])
      at = above
    }
    this.#place(at, commit, date)
  }

  /** Takes the newest. The queue must not be empty. */
  pop(): Ordinal {
    const newest = this.#commits[0]
    const commit = this.#commits.pop()!
    const date = this.#dates.pop()!
    const { length } = this.#commits
    if (length === 0) return newest
    let at = 0
    for (let below = 1; below < length; below = 2 * at + 1) {
      if (below + 1 < length && this.#dates[below + 1] > this.#dates[below]) below++
      if (this.#dates[below] <= date) break
      this.#place(at, this.#commits[below], this.#dates[below])
      at = below
    }
    this.#place(at, commit, date)
    return newest
  }

  #place(at: number, commit: Ordinal, date: number): void {
    this.#commits[at] = commit
    this.#dates[at] = date
  }
}
