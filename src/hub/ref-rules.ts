/** Changing the rules per ref of a repository. Its functions rely on admin access; asked are the rules in push-rules.ts. */
import { enqueueJob } from '../database/jobs.ts'
import { type RefRule, writeRefRules } from '../database/ref-rules.ts'
import { HoldfastError } from '../errors.ts'
import { isPushableRefName } from '../git/ref-name.ts'
import { compactionJob } from './compact.ts'
import type { Hub } from './hub.ts'
import { type Repo, repoPath } from './repo.ts'
import { metadataJob } from './repo-metadata.ts'

export type { RefRule } from '../database/ref-rules.ts'

/**
 * Adds a rule, in place of one with the same pattern. Throws InputInvalid for a pattern that can name no ref, InputTooLarge
 * for more than `refRulesMax`, Conflict where somebody else has changed the rules since `repo` was read.
 */
export async function addRule(hub: Hub, repo: Repo, rule: RefRule): Promise<void> {
  const { refRulesMax, gitRefNameMaxBytes } = hub.config.limits
  checkPattern(rule.pattern, gitRefNameMaxBytes)
  const others = repo.refRules.filter(({ pattern }) => pattern !== rule.pattern)
  if (others.length >= refRulesMax) {
    throw new HoldfastError('InputTooLarge', { message: `A repository has at most ${refRulesMax} rules.` })
  }
  await replaceRules(hub, repo, [...others, rule])
}

/** Removes the rule with that pattern. Throws RuleNotFound, and Conflict as `addRule`. */
export async function removeRule(hub: Hub, repo: Repo, pattern: string): Promise<void> {
  const others = repo.refRules.filter((rule) => rule.pattern !== pattern)
  if (others.length === repo.refRules.length) {
    throw new HoldfastError('RuleNotFound', { message: `${repoPath(repo)} has no rule for ${display(pattern)}.` })
  }
  await replaceRules(hub, repo, others)
}

async function replaceRules(hub: Hub, repo: Repo, rules: readonly RefRule[]): Promise<void> {
  const isWritten = await hub.database.transaction(async (tx) => {
    const isCurrent = await writeRefRules(tx, repo.id, rules, repo.refRulesVersion)
    // What is hidden from readers shall not lie among what they clone: each clone would have to be picked from it.
    if (isCurrent) await enqueueJob(tx, compactionJob(repo.id))
    // The default branch may have been hidden, or shown.
    if (isCurrent) await enqueueJob(tx, metadataJob(repo.id))
    return isCurrent
  })
  if (isWritten) return
  throw new HoldfastError('Conflict', { message: `The rules of ${repoPath(repo)} have just been changed. Try again.` })
}

function checkPattern(pattern: string, maxBytes: number): void {
  if (pattern.length <= maxBytes && isPushableRefName(pattern.replaceAll('*', 'x/x'))) return
  throw new HoldfastError('InputInvalid', {
    message: `"${display(pattern)}" names no refs. Give a full name such as refs/heads/main or refs/heads/release/*.`,
  })
}

function display(pattern: string): string {
  return Buffer.from(pattern, 'latin1').toString()
}
