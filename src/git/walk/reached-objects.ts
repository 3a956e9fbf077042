/**
 * Everything that some tips lead to, found as far as it is asked for: a walk that stops once it has met what was sought,
 * and goes on from there at the next question. So many questions cost one walk, and recent objects little of it.
 */
import { fairLoop } from '../fair-loop.ts'
import type { ObjectDatabase, Ordinal } from '../repository.ts'
import { isDirectory, isGitlink, TreeCursor } from '../tree.ts'
import { CommitGraph, peel } from './commit-graph.ts'
import { DateQueue } from './date-queue.ts'

export class ReachedObjects {
  readonly #objects: ObjectDatabase
  readonly #graph: CommitGraph
  readonly #seen: Uint8Array
  /** Commits whose parents are still to be met. */
  readonly #queue = new DateQueue()
  /** Commits that were met, in that order; the content of those from `#nextContent` on has not been. */
  readonly #commits: Ordinal[] = []
  #nextContent = 0
  readonly #openTrees: Ordinal[] = []

  /**
   * `tips` may be of any type. `known` is a walk over the same objects that has looked in vain for what this one will be
   * asked: what it has met is not walked again.
   */
  constructor(objects: ObjectDatabase, tips: Iterable<Ordinal>, known?: ReachedObjects) {
    this.#objects = objects
    this.#graph = known === undefined ? new CommitGraph(objects) : known.#graph
    this.#seen = known === undefined ? new Uint8Array(objects.ordinalCount) : known.#seen.slice()
    for (const tip of tips) this.#addTip(tip)
  }

  /**
   * Those of `targets` that no tip leads to. Walks may go on side by side. Throws ObjectMissing, ObjectInvalid, and the
   * signal's reason once it has fired: the next question then goes on from there.
   */
  async findUnreached(targets: readonly Ordinal[], signal?: AbortSignal): Promise<Ordinal[]> {
    const isHistory = (ordinal: Ordinal) => /^(commit|tag)$/.test(this.#objects.stat(ordinal).type)
    const pause = fairLoop(signal)
    // What has been met is struck off its end, so that a step looks at one target only.
    const history = targets.filter(isHistory)
    while (this.#strikeOff(history) && this.#stepHistory()) if (pause.due()) await pause.now()
    const content = targets.filter((ordinal) => !isHistory(ordinal))
    while (this.#strikeOff(content) && this.#stepContent()) if (pause.due()) await pause.now()
    return targets.filter((ordinal) => this.#seen[ordinal] === 0)
  }

  #strikeOff(sought: Ordinal[]): boolean {
    while (sought.length > 0 && this.#seen[sought[sought.length - 1]] !== 0) sought.pop()
    return sought.length > 0
  }

  #addTip(tip: Ordinal): void {
    const target = peel(this.#objects, tip, (tag) => {
      this.#seen[tag] = 1
    })
    const { type } = this.#objects.stat(target)
    if (type === 'commit') this.#addCommit(target)
    else if (type === 'tree') this.#addTree(target)
    else this.#seen[target] = 1
  }

  #addCommit(commit: Ordinal): void {
    if (this.#seen[commit] !== 0) return
    this.#seen[commit] = 1
    this.#commits.push(commit)
    this.#queue.push(commit, this.#graph.dateOf(commit))
  }

  #addTree(tree: Ordinal): void {
    if (this.#seen[tree] !== 0) return
    this.#seen[tree] = 1
    this.#openTrees.push(tree)
  }

  /** The newest commit's parents; false where there are no more. */
  #stepHistory(): boolean {
    if (this.#queue.length === 0) return false
    for (const parent of this.#graph.trueParentsOf(this.#queue.pop())) this.#addCommit(parent)
    return true
  }

  /** One tree, or what one commit brought; false where there is nothing more. */
  #stepContent(): boolean {
    const tree = this.#openTrees.pop()
    if (tree !== undefined) {
      this.#list(tree)
      return true
    }
    if (this.#nextContent === this.#commits.length && !this.#stepHistory()) return false
    const commit = this.#commits[this.#nextContent]
    if (commit === undefined) return true
    this.#nextContent++
    // What its parents brought is met with them.
    const isNoted = this.#objects.visitIntroduced(commit, (ordinal) => {
      this.#seen[ordinal] = 1
    })
    if (!isNoted) this.#addTree(this.#graph.treeOf(commit))
    return true
  }

  #list(tree: Ordinal): void {
    const { data } = this.#objects.read(tree)
    const cursor = new TreeCursor(data)
    while (cursor.next()) {
      if (isGitlink(cursor.mode)) continue
      const ordinal = this.#objects.locate(data, cursor.idAt)
      if (ordinal < 0) continue
      if (isDirectory(cursor.mode)) this.#addTree(ordinal)
      else this.#seen[ordinal] = 1
    }
  }
}
