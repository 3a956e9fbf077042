/** Rules about refs: facts in, git's own words out. */
import type { RefRule } from '../database/ref-rules.ts'
import { type ObjectId, objectIdBytes } from '../git/object-id.ts'
import type { ObjectDatabase, Ordinal, RefCommand, RefResult } from '../git/repository.ts'
import { parseTag } from '../git/tag.ts'
import { allows } from './access.ts'
import type { Role } from './principal.ts'
import { matchesPattern } from './ref-pattern.ts'

/** A command that passed the rules, with what its new object finally points to where that is a tag. */
export interface CheckedCommand extends RefCommand {
  peeledId: ObjectId | undefined
}

/** What can be said before the pack is read. Undefined: nothing against it. */
export function refuseByName({ name }: RefCommand): string | undefined {
  return name.startsWith('refs/') ? undefined : 'funny refname'
}

/** What a rule says against a command: behind `ng <ref>`, and to the person. */
export interface RuleObjection {
  reason: string
  explanation: string
}

export interface RuleFacts {
  /** What the pusher may do with the repository. */
  access: Role
  /** The command moves the ref to something that does not contain what it was at; known only where `isForceRuled`. */
  isForced: boolean
}

/** What the first of a repository's rules that speaks against a command says. */
export function findRuleObjection(
  rules: readonly RefRule[],
  command: RefCommand,
  facts: RuleFacts,
): RuleObjection | undefined {
  for (const rule of rules) {
    if (!matchesPattern(rule.pattern, command.name)) continue
    const [reason, words] = objectionOf(rule, command.newId === undefined, facts) ?? []
    if (reason === undefined) continue
    const [name, pattern] = [command.name, rule.pattern].map((text) => Buffer.from(text, 'latin1').toString())
    return { reason, explanation: `error: ${name} ${words} (rule for ${pattern})\n` }
  }
  return undefined
}

function objectionOf(rule: RefRule, isDeletion: boolean, { access, isForced }: RuleFacts) {
  if (rule.hidden && !allows(access, 'write')) {
    return [`deny ${isDeletion ? 'deleting' : 'updating'} a hidden ref`, 'is hidden'] as const
  }
  const declined = 'protected branch hook declined'
  if (rule.push === 'nobody') return [declined, 'may be pushed to by nobody'] as const
  if (rule.push === 'admin' && !allows(access, 'admin')) return [declined, 'may be pushed to by admins only'] as const
  if (rule.noDeletion && isDeletion) return ['deletion prohibited', 'may not be deleted'] as const
  if (rule.fastForwardOnly && isForced) return ['non-fast-forward', 'may only move forward'] as const
  return undefined
}

/** True where a rule asks whether the command moves its ref forward. */
export function isForceRuled(rules: readonly RefRule[], { name, oldId, newId }: RefCommand): boolean {
  if (oldId === undefined || newId === undefined || oldId === newId) return false
  return rules.some((rule) => rule.fastForwardOnly === true && matchesPattern(rule.pattern, name))
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
