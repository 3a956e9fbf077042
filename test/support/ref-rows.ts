/** The refs of a repository as its rows have them, by pages so small that there are several. */
import type { Queryable, RepoId } from '../../src/database/queryable.ts'
import { readRefSnapshot } from '../../src/database/refs.ts'
import { RefList } from '../../src/git/ref-list.ts'

export async function readRefRows(db: Queryable, repoId: RepoId) {
  const row = await readRefSnapshot(db, repoId, 2)
  if (row === undefined) return undefined
  const { pages, ...versions } = row
  return { ...versions, refs: [...RefList.fromColumns(pages)] }
}
