/** Which commands of a push leave something behind: the ref's new place does not contain the old one. */
import { locateId, type ObjectDatabase, type Ordinal, type RefCommand } from '../git/repository.ts'
import { findNonAncestors } from '../git/walk/ancestry.ts'
import { CommitGraph, peel } from '../git/walk/commit-graph.ts'

/**
 * Those of `commands`, which move refs, that do not move them forward. An old id that is not there at all is none of
 * them: the compare-and-swap speaks against it. A ref at something that is no commit has no way forward.
 */
export async function findForced(
  objects: ObjectDatabase,
  commands: readonly RefCommand[],
): Promise<ReadonlySet<RefCommand>> {
  const graph = new CommitGraph(objects)
  const forced = new Set<RefCommand>()
  for (const command of commands) {
    const [before, after] = [command.oldId, command.newId].map((id) => (id === undefined ? -1 : locateId(objects, id)))
    if (before >= 0 && after >= 0 && !(await leadsTo(graph, after, before))) forced.add(command)
  }
  return forced
}

/**
 * True where a push takes out of sight what a clone pack may hold: it must not lie ready any longer. A push without
 * objects deletes refs only; whether there is a clone pack is not asked then.
 */
export async function abandonsCloned(
  objects: ObjectDatabase | undefined,
  commands: readonly RefCommand[],
): Promise<boolean> {
  if (objects !== undefined && objects.clonePack === undefined) return false
  const cloned = commands.filter(({ name, oldId }) => oldId !== undefined && /^refs\/(heads|tags)\//.test(name))
  if (cloned.some(({ newId }) => newId === undefined)) return true
  return objects !== undefined && (await findForced(objects, cloned)).size > 0
}

async function leadsTo(graph: CommitGraph, from: Ordinal, to: Ordinal): Promise<boolean> {
  const { objects } = graph
  const [tip, target] = [from, to].map((ordinal) => peel(objects, ordinal))
  if (objects.stat(tip).type !== 'commit' || objects.stat(target).type !== 'commit') return tip === target
  return (await findNonAncestors(graph, [target], [tip])).length === 0
}
