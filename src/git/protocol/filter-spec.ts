/** Filters of partial clones as clients write them (git-rev-list, `--filter`). */
import { HoldfastError } from '../../errors.ts'
import type { Limits } from '../../limits.ts'
import type { ObjectType } from '../repository.ts'
import { noFilter, type ObjectFilter } from '../walk/object-filter.ts'

/** A filter whose sparse patterns have not been read yet. */
export interface FilterSpec extends Omit<ObjectFilter, 'sparse'> {
  /** Blobs with patterns: an id, or `<revision>:<path>`. */
  sparseNames: readonly string[]
}

export type FilterLimits = Pick<Limits, 'gitFilterPartsMax' | 'gitFilterDepthMax'>

/** Throws InputInvalid for what git does not know either, and InputTooLarge for too many parts or levels. */
export function parseFilterSpec(text: string, limits: FilterLimits): FilterSpec {
  const parts = partsOf(text, limits)
  if (parts.length > limits.gitFilterPartsMax) throw new HoldfastError('InputTooLarge')
  return parts.map(parsePart).reduce((a, b) => ({
    blobMaxBytes: Math.min(a.blobMaxBytes, b.blobMaxBytes),
    treeDepth: Math.min(a.treeDepth, b.treeDepth),
    types: new Set([...a.types].filter((type) => b.types.has(type))),
    sparseNames: [...a.sparseNames, ...b.sparseNames],
  }))
}

const combine = 'combine:'
// What git wants encoded: all up to the space, and what shells may take for their own.
const reserved = /[\0- ~`!@#$^&*()[\]{}\\;'",<>?]/

/** A combined filter's parts, which may be combined in turn, each encoded as in a URL. */
function partsOf(text: string, limits: FilterLimits, level = 0): string[] {
  if (!text.startsWith(combine)) return [text]
  if (level === limits.gitFilterDepthMax) throw new HoldfastError('InputTooLarge')
  const parts = text.slice(combine.length).split('+')
  if (parts[0] === '' && parts.length === 1) throw invalid('expected something after combine:')
  if (parts.length > limits.gitFilterPartsMax) throw new HoldfastError('InputTooLarge')
  return parts.flatMap((part) => {
    const [character] = reserved.exec(part) ?? []
    if (character !== undefined) throw invalid(`must escape char in sub-filter-spec: '${character}'`)
    return partsOf(decode(part), limits, level + 1)
  })
}

/** Percent-encoding to bytes in latin1; what is not well-formed stays as it is, as in git. */
function decode(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

function parsePart(text: string): FilterSpec {
  const nothing: FilterSpec = { ...noFilter, sparseNames: [] }
  const at = text.indexOf(text.startsWith('tree:') ? ':' : '=') + 1
  const value = text.slice(at)
  const kind = at === 0 ? text : text.slice(0, at)
  if (kind === 'blob:none') return { ...nothing, blobMaxBytes: 0 }
  if (kind === 'sparse:oid=') return { ...nothing, sparseNames: [value] }
  if (kind === 'sparse:path=') throw invalid('sparse:path filters support has been dropped')
  if (kind === 'object:type=') return { ...nothing, types: new Set([parseType(value)]) }
  const number = parseSize(value)
  if (kind === 'tree:') {
    if (number === undefined) throw invalid("expected 'tree:<depth>'")
    return { ...nothing, treeDepth: number }
  }
  if (kind === 'blob:limit=' && number !== undefined) return { ...nothing, blobMaxBytes: number }
  throw invalid(`invalid filter-spec '${text.slice(0, 80)}'`)
}

function parseType(name: string): ObjectType {
  if (name === 'commit' || name === 'tree' || name === 'blob' || name === 'tag') return name
  throw invalid(`'${name.slice(0, 80)}' for 'object:type=<type>' is not a valid object type`)
}

const units: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

function parseSize(text: string): number | undefined {
  const [, digits, unit] = /^([0-9]{1,19})([kmg]?)$/i.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits) * units[unit.toLowerCase()]
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('InputInvalid', { message })
}
