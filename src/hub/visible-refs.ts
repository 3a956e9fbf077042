/**
 * The refs that somebody sees (design law 9): all of them, or for who may only read those that no rule hides. Whoever
 * pushes sees everything, so that the objects a push may build on are all objects there are.
 */
import type { RefSnapshot } from '../git/repository.ts'
import { allows } from './access.ts'
import type { Hub } from './hub.ts'
import { patternMatcher } from './ref-pattern.ts'
import type { Repo } from './repo.ts'

export interface VisibleRefs {
  /** The same for all who see the same refs of one version: what is rendered for one may be sent to the others. */
  visibilityClass: string
  snapshot: RefSnapshot
}

/** Shared as the snapshots are. */
const filtered = new WeakMap<RefSnapshot, Map<string, RefSnapshot>>()

/** HEAD and the refs of `repo` that whoever opened it sees, no older than `repo`. */
export async function visibleRefs(hub: Hub, repo: Repo): Promise<VisibleRefs> {
  const visibilityClass = visibilityClassOf(repo)
  const snapshot = await hub.repositories.refs(repo)
  return { visibilityClass, snapshot: filterRefs(snapshot, visibilityClass) }
}

/** The patterns that are hidden from whoever opened `repo`, a line each: empty for who sees everything. */
export function visibilityClassOf({ access, refRules }: Pick<Repo, 'access' | 'refRules'>): string {
  if (refRules.length === 0 || allows(access, 'write')) return ''
  const hidden = refRules.filter((rule) => rule.hidden).map(({ pattern }) => pattern)
  return hidden.sort().join('\n')
}

/** Tells of names whether the class sees the ref, or its past. */
export function visibleTo(visibilityClass: string): (name: string) => boolean {
  if (visibilityClass === '') return () => true
  const hidden = visibilityClass.split('\n').map(patternMatcher)
  return (name) => !hidden.some((matches) => matches(name))
}

/** `snapshot` as the class sees it. A HEAD that names a hidden branch is hidden with it. */
export function filterRefs(snapshot: RefSnapshot, visibilityClass: string): RefSnapshot {
  if (visibilityClass === '') return snapshot
  const known = filtered.get(snapshot) ?? new Map<string, RefSnapshot>()
  filtered.set(snapshot, known)
  const visible = known.get(visibilityClass) ?? withoutHidden(snapshot, visibilityClass)
  known.set(visibilityClass, visible)
  return visible
}

function withoutHidden({ headTarget, headId, refs }: RefSnapshot, visibilityClass: string): RefSnapshot {
  const isVisible = visibleTo(visibilityClass)
  const isHeadVisible = headTarget === undefined || isVisible(headTarget)
  return {
    headTarget: isHeadVisible ? headTarget : undefined,
    headId: isHeadVisible ? headId : undefined,
    refs: refs.filter(({ name }) => isVisible(name)),
  }
}
