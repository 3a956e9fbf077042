/** `hideRefs` (git-config, transfer.hideRefs): refs that are neither shown nor may be pushed to. */
import type { RefSnapshot } from '../git/repository.ts'

/** True for a ref, by its full name, that is hidden. */
export type IsHidden = (name: string) => boolean

/**
 * The rules in the order of the configuration: a ref's own name or a folder above it, `!` for what is shown after all. The
 * last that fits decides. `^` tells a full name from one within a namespace, of which there are none here.
 */
export function hiddenBy(patterns: readonly string[]): IsHidden {
  const rules = patterns.map((pattern) => {
    const isShown = pattern.startsWith('!')
    const match = (isShown ? pattern.slice(1) : pattern).replace(/^\^/, '').replace(/\/+$/, '')
    return { isShown, match }
  })
  rules.reverse()
  return (name) => {
    const rule = rules.find(
      ({ match }) => name.startsWith(match) && (name.length === match.length || name[match.length] === '/'),
    )
    return rule !== undefined && !rule.isShown
  }
}

/** What is left to be shown. HEAD stays unless it is hidden itself, whatever it names. */
export function withoutHidden(snapshot: RefSnapshot, isHidden: IsHidden): RefSnapshot {
  const refs = snapshot.refs.filter(({ name }) => !isHidden(name))
  return isHidden('HEAD') ? { headTarget: undefined, headId: undefined, refs } : { ...snapshot, refs }
}
