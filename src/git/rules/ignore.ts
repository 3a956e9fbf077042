/** `.gitignore` (gitignore(5)): which files are not meant to be committed, whether or not they are. */
import type { SparsePatterns } from '../walk/sparse-patterns.ts'
import type { FolderRules } from './folder-rules.ts'

/**
 * Whether the rules of the folders around `path` (latin1), from the root down, ignore it: the rules nearest to it decide.
 * What is in an ignored folder is ignored, whatever is said of it; of `path` itself alone that is not known here.
 */
export function isIgnored(
  folders: readonly FolderRules<SparsePatterns>[],
  path: string,
  { isFolder }: { isFolder: boolean },
): boolean {
  for (const { folder, rules } of folders.toReversed()) {
    const decision = rules.decide(path.slice(folder.length), isFolder)
    if (decision !== undefined) return decision
  }
  return false
}
