/** Finding a ref by what a client calls it (gitrevisions(7)), among those that the caller may see. */
import type { ObjectId } from './object-id.ts'
import type { RefSnapshot } from './repository.ts'

/** The id of the ref with this full name, or of HEAD. */
export function findRefId({ headId, refs }: RefSnapshot, name: string): ObjectId | undefined {
  return name === 'HEAD' ? headId : refs.get(name)?.id
}

/** The ids of all refs that `name` may stand for, in git's order: as it is, a tag, a branch, a remote. */
export function expandRef(snapshot: RefSnapshot, name: string): ObjectId[] {
  const names = [name, `refs/${name}`, `refs/tags/${name}`, `refs/heads/${name}`, `refs/remotes/${name}`]
  return [...names, `refs/remotes/${name}/HEAD`].flatMap((each) => findRefId(snapshot, each) ?? [])
}
