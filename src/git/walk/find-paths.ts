/** Under which path a blob lies, for messages that people read: the one question that costs a walk of trees. */
import { commitIds } from '../commit.ts'
import { type FairLoop, fairLoop } from '../fair-loop.ts'
import { idBytes, type ObjectId } from '../object-id.ts'
import { locateId, type ObjectDatabase, type Ordinal } from '../repository.ts'
import { isDirectory, TreeCursor } from '../tree.ts'
import { peel } from './commit-graph.ts'
import { OrdinalNumbers } from './ordinal-numbers.ts'

/**
 * One path for each of `blobIds`, looked for in the trees that `tips` (of any type) lead to, newest first. Paths are
 * latin1 as Git's bytes are. A blob that lies in none of them is left out.
 */
export async function findPaths(
  objects: ObjectDatabase,
  tips: readonly ObjectId[],
  blobIds: readonly ObjectId[],
): Promise<Map<ObjectId, string>> {
  const sought = new Map(blobIds.map((id) => [locateId(objects, id), id]))
  const search: PathSearch = {
    objects,
    sought,
    seen: new OrdinalNumbers(objects.ordinalCount),
    found: new Map(),
    pause: fairLoop(),
  }
  const queue: Ordinal[] = tips.map((id) => locateId(objects, id))
  for (let next = 0; next < queue.length && search.found.size < sought.size; next++) {
    const ordinal = queue[next]
    if (ordinal < 0 || search.seen.get(ordinal) === 1) continue
    const { type } = objects.stat(ordinal)
    if (type === 'tag') queue.push(peel(objects, ordinal))
    if (type === 'tree') await searchTree(search, ordinal)
    search.seen.set(ordinal, 1)
    if (type !== 'commit') continue
    const ids = commitIds(objects.read(ordinal).data)
    await searchTree(search, objects.locate(ids, 0))
    for (let offset = idBytes; offset < ids.length; offset += idBytes) queue.push(objects.locate(ids, offset))
  }
  return search.found
}

interface PathSearch {
  objects: ObjectDatabase
  sought: Map<Ordinal, ObjectId>
  seen: OrdinalNumbers
  found: Map<ObjectId, string>
  pause: FairLoop
}

async function searchTree(search: PathSearch, root: Ordinal): Promise<void> {
  const pending = [{ ordinal: root, path: '' }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { ordinal, path } = next
    if (ordinal < 0 || search.seen.get(ordinal) === 1) continue
    search.seen.set(ordinal, 1)
    const { data } = search.objects.read(ordinal)
    const cursor = new TreeCursor(data)
    while (cursor.next()) {
      const child = search.objects.locate(data, cursor.idAt)
      const childPath = () => path + data.toString('latin1', cursor.nameAt, cursor.nameEnd)
      if (isDirectory(cursor.mode)) pending.push({ ordinal: child, path: `${childPath()}/` })
      const id = search.sought.get(child)
      if (id !== undefined && !search.found.has(id)) search.found.set(id, childPath())
    }
    if (search.pause.due(8)) await search.pause.now()
  }
}
