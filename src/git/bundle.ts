/** Bundles (gitformat-bundle): refs and a pack that leads to nothing outside itself, in one file. */
import type { ObjectId } from './object-id.ts'
import type { Ref } from './repository.ts'

/**
 * What stands before the pack. It says what the refs point to, each once, and not what they are called: a bundle stays when
 * refs are hidden or deleted. What only tags point to need not be a commit, and is named as a tag.
 */
export function formatBundleHeader(refs: readonly Ref[]): Buffer {
  const headIds = new Set(refs.filter(({ name }) => name.startsWith('refs/heads/')).map(({ id }) => id))
  const otherIds = new Set(refs.filter(({ id }) => !headIds.has(id)).map(({ id }) => id))
  const lines = [...linesOf('refs/heads/tip-', headIds), ...linesOf('refs/tags/tip-', otherIds)]
  return Buffer.from(`# v2 git bundle\n${lines.join('')}\n`, 'latin1')
}

/** In the order of the ids: that of the refs would tell of their names. */
function linesOf(prefix: string, ids: ReadonlySet<ObjectId>): string[] {
  return [...ids].sort().map((id, number) => `${id} ${prefix}${number + 1}\n`)
}
