/** A file or folder of a commit as the Hub writes it (hub-api.md §2.4). */
import { Type } from 'typebox'
import type { DescribedEntry } from '../../hub/file-lists.ts'

export const TreeEntries = Type.Array(
  Type.Object({
    type: Type.Enum(['file', 'directory']),
    /** Of the blob or tree, as Git shows it. */
    oid: Type.String(),
    size: Type.Integer(),
    path: Type.String(),
    lfs: Type.Optional(Type.Object({ oid: Type.String(), size: Type.Integer(), pointerSize: Type.Integer() })),
    lastCommit: Type.Optional(Type.Object({ id: Type.String(), title: Type.String(), date: Type.String() })),
  }),
)

/** The size of an LFS file is that of its content. */
export function writeTreeEntry({ kind, path, id, sizeBytes = 0, lfs, lastCommit }: DescribedEntry) {
  return {
    type: kind,
    oid: id,
    size: lfs?.sizeBytes ?? sizeBytes,
    path,
    lfs: lfs && { oid: lfs.lfsOid, size: lfs.sizeBytes, pointerSize: sizeBytes },
    lastCommit: lastCommit && {
      id: lastCommit.commitId,
      title: lastCommit.title,
      date: lastCommit.date.toISOString(),
    },
  }
}
