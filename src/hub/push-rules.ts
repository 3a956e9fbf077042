/** Rules about refs that need nothing but the commands and the objects they name. Each answers with git's own words. */
import { type ObjectId, objectIdBytes } from '../git/object-id.ts'
import type { ObjectDatabase, Ordinal, RefCommand, RefResult } from '../git/repository.ts'
import { parseTag } from '../git/tag.ts'

/** A command that passed the rules, with what its new object finally points to where that is a tag. */
export interface CheckedCommand extends RefCommand {
  peeledId: ObjectId | undefined
}

/** What can be said before the pack is read. Undefined: nothing against it. */
export function refuseByName({ name }: RefCommand): string | undefined {
  return name.startsWith('refs/') ? undefined : 'funny refname'
}

/** Splits the commands into those that may be tried and the refusals of the others. */
export function checkTargets(
  objects: ObjectDatabase | undefined,
  commands: readonly RefCommand[],
  tagDepthMax: number,
): { checked: CheckedCommand[]; refused: RefResult[] } {
  const checked: CheckedCommand[] = []
  const refused: RefResult[] = []
  for (const command of commands) {
    const target =
      command.newId === undefined
        ? { peeledId: undefined }
        : checkTarget(objects, command.name, command.newId, tagDepthMax)
    if ('reason' in target) refused.push({ name: command.name, reason: target.reason })
    else checked.push({ ...command, peeledId: target.peeledId })
  }
  return { checked, refused }
}

type Target = { reason: string } | { peeledId: ObjectId | undefined }

function checkTarget(objects: ObjectDatabase | undefined, name: string, newId: ObjectId, tagDepthMax: number): Target {
  const ordinal = objects?.locate(objectIdBytes(newId)) ?? -1
  if (objects === undefined || ordinal < 0) return { reason: 'missing necessary objects' }
  const { type } = objects.stat(ordinal)
  if (name.startsWith('refs/heads/') && type !== 'commit') {
    return { reason: 'cannot update ref: a branch must point to a commit' }
  }
  if (type !== 'tag') return { peeledId: undefined }
  const target = peelWithin(objects, ordinal, tagDepthMax)
  return target < 0 ? { reason: 'too many tags of tags' } : { peeledId: objects.idOf(target) }
}

/** What the tag finally names; -1 where more than `depthMax` tags lie on the way. */
function peelWithin(objects: ObjectDatabase, tag: Ordinal, depthMax: number): Ordinal {
  let target = tag
  for (let depth = 0; depth < depthMax; depth++) {
    target = objects.locate(objectIdBytes(parseTag(objects.read(target).data).objectId))
    if (objects.stat(target).type !== 'tag') return target
  }
  return -1
}
