/** The repository's own rules, asked with the facts that they need. */
import type { RefRule } from '../database/ref-rules.ts'
import type { ObjectDatabase, RefCommand, RefResult } from '../git/repository.ts'
import { findForced } from './forced-moves.ts'
import { type CheckedCommand, findRuleObjection, isForceRuled } from './push-rules.ts'
import type { Push } from './push-transaction.ts'

/** Splits the commands by the repository's rules, and tells the person about what is refused. */
export async function judgeByRules(
  { request, repo }: Push,
  commands: readonly CheckedCommand[],
  { rules, objects }: { rules: readonly RefRule[]; objects: ObjectDatabase | undefined },
): Promise<{ granted: readonly CheckedCommand[]; refused: RefResult[] }> {
  if (rules.length === 0) return { granted: commands, refused: [] }
  const ruled = commands.filter((command) => isForceRuled(rules, command))
  const forced = objects === undefined ? new Set<RefCommand>() : await findForced(objects, ruled)
  const refused: RefResult[] = []
  const granted = commands.filter((command) => {
    const objection = findRuleObjection(rules, command, { access: repo.access, isForced: forced.has(command) })
    if (objection === undefined) return true
    request.progress(objection.explanation)
    refused.push({ name: command.name, reason: objection.reason })
    return false
  })
  return { granted, refused }
}
