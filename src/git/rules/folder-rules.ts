/** Rules that lie in the folders of a tree and hold for what is in them. */

/** The rules of one folder. */
export interface FolderRules<Rules> {
  /** The folder's path with a slash behind it; empty for the root. Latin1. */
  folder: string
  rules: Rules
}
