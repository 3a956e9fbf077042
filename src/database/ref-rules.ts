/** The rules per ref of a repository: they lie in its row (migrations/0006_ref_rules.sql). */
import type { Queryable, RepoId } from './queryable.ts'

/** What holds for the refs that a pattern names. */
export interface RefRule {
  /** A full ref name, latin1, in which each `*` stands for any characters, slashes among them. */
  pattern: string
  /** Who of those with write access may push to them: admins alone, or nobody. Left out: all. */
  push?: 'admin' | 'nobody'
  fastForwardOnly?: boolean
  noDeletion?: boolean
  /** Only those with write access see them. */
  hidden?: boolean
}

export interface RefRules {
  refRules: readonly RefRule[]
  /** Raised by every change. */
  refRulesVersion: string
}

/** The rules as they are now; undefined where the repository is gone. */
export async function readRefRules(db: Queryable, repoId: RepoId): Promise<RefRules | undefined> {
  const [row] = await db.query<RefRules>(
    'select ref_rules as "refRules", ref_rules_version as "refRulesVersion" from repos where id = $1',
    [repoId],
    'read-ref-rules',
  )
  return row
}

/** Replaces the rules, if they are still those of `seenVersion`; false otherwise. */
export async function writeRefRules(
  db: Queryable,
  repoId: RepoId,
  rules: readonly RefRule[],
  seenVersion: string,
): Promise<boolean> {
  const rows = await db.query(
    `update repos set ref_rules = $2, ref_rules_version = ref_rules_version + 1, updated_at = now()
      where id = $1 and ref_rules_version = $3
      returning id`,
    [repoId, JSON.stringify(rules), seenVersion],
  )
  return rows.length > 0
}
