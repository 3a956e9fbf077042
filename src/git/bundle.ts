/** Bundles (gitformat-bundle): refs and a pack that leads to nothing outside itself, in one file. */
import type { Ref } from './repository.ts'

/** What stands before the pack. */
export function formatBundleHeader(refs: readonly Ref[]): Buffer {
  const lines = refs.map(({ id, name }) => `${id} ${name}\n`)
  return Buffer.from(`# v2 git bundle\n${lines.join('')}\n`, 'latin1')
}
