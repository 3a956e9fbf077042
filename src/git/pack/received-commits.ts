/** The commits of a pack that is being received, in flat arrays. Ids are given by their numbers in an IdSet. */
export class ReceivedCommits {
  count = 0
  /** By commit, in the order of arrival. */
  readonly entries: number[] = []
  readonly trees: number[] = []
  readonly dates: number[] = []
  /** Where each commit's parents begin in `parents`; they end where the next one's begin. */
  readonly parentStarts: number[] = []
  readonly parents: number[] = []

  /** The next commit: its entry, its tree and its committer date in seconds. `addParent` follows. */
  begin(entry: number, tree: number, dateSeconds: number): void {
    this.count++
    this.entries.push(entry)
    this.trees.push(tree)
    this.dates.push(dateSeconds)
    this.parentStarts.push(this.parents.length)
  }

  addParent(parent: number): void {
    this.parents.push(parent)
  }
}
