/** A repository's refs by what they are to people: branches, tags, pull requests, what the server converts. */
import type { ObjectId } from '../../git/object-id.ts'
import type { Hub } from '../hub.ts'
import type { Repo } from '../repo.ts'
import { visibleRefs } from '../visible-refs.ts'

export interface NamedRef {
  /** Short. */
  name: string
  ref: string
  /** What an annotated tag finally points to. */
  targetId: ObjectId
}

const prefixes = {
  branches: 'refs/heads/',
  tags: 'refs/tags/',
  converts: 'refs/convert/',
  pullRequests: 'refs/pr/',
} as const

/** Those that the caller sees, of each kind in byte order of their names. */
export async function listRefs(hub: Hub, repo: Repo): Promise<Record<keyof typeof prefixes, NamedRef[]>> {
  const { refs } = (await visibleRefs(hub, repo)).snapshot
  const withPrefix = (prefix: string) =>
    Array.from(refs.withPrefixes([prefix]), ({ name, id, peeledId }): NamedRef => {
      const ref = Buffer.from(name, 'latin1').toString()
      // A pull request is known by its whole name, as a revision.
      return { name: prefix === prefixes.pullRequests ? ref : ref.slice(prefix.length), ref, targetId: peeledId ?? id }
    })
  return {
    branches: withPrefix(prefixes.branches),
    tags: withPrefix(prefixes.tags),
    converts: withPrefix(prefixes.converts),
    pullRequests: withPrefix(prefixes.pullRequests),
  }
}
