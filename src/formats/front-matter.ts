/**
 * The YAML between `---` lines with which a README begins: the metadata of its repository. YAML 1.2, one mapping, bounded in
 * bytes, depth and aliases, of which ten that name each other ten times over would fill any memory.
 */
import { CORE_SCHEMA, loadAll, YAMLException } from 'js-yaml'

export type Metadata = Record<string, unknown>

export interface FrontMatter {
  /** Undefined where there is none, or where it cannot be read. */
  metadata: Metadata | undefined
  /** Why it cannot be read, in a sentence for whoever wrote it. */
  problem: string | undefined
}

/** Longer metadata is not read. The longest known are results of benchmarks, some hundred KiB. */
export const frontMatterMaxBytes = 512 * 1024
// Each may stand for all before it: five that double, so to say, make 32 times the text.
const aliasesMax = 10
const depthMax = 50
// Without aliases JSON takes no more than twice the text: quotes and commas about words of one letter.
const writtenMaxLength = 2 * frontMatterMaxBytes

/** What the README's front matter says. Never throws. */
export function readFrontMatter(readme: string): FrontMatter {
  const yaml = cutFrontMatter(readme)
  if (yaml === undefined) return { metadata: undefined, problem: undefined }
  if (yaml.length > frontMatterMaxBytes) return unreadable(`It is longer than ${frontMatterMaxBytes} characters.`)
  try {
    // Comments alone are no document, and no mistake.
    const [value] = loadAll(yaml, { schema: CORE_SCHEMA, maxAliases: aliasesMax, maxDepth: depthMax })
    if (value === null || value === undefined) return { metadata: {}, problem: undefined }
    if (typeof value !== 'object' || Array.isArray(value)) return unreadable('It is not a list of "key: value" lines.')
    // Through JSON, as it is stored and sent: what JSON has no word for (infinities, a key that is a list) is settled here.
    const json = JSON.stringify(value)
    if (json.length > writtenMaxLength) return unreadable('It is too long, with what its aliases stand for.')
    return { metadata: JSON.parse(json), problem: undefined }
  } catch (error) {
    return unreadable(explain(error))
  }
}

/** The lines between the first `---` and the next; undefined where the text does not begin with them. */
function cutFrontMatter(readme: string): string | undefined {
  const start = /^\uFEFF?\s*---[ \t]*\r?\n/.exec(readme)
  if (start === null) return undefined
  const rest = readme.slice(start[0].length)
  const end = /^---[ \t]*$/m.exec(rest.replaceAll('\r\n', '\n'))
  return end === null ? undefined : rest.replaceAll('\r\n', '\n').slice(0, end.index)
}

function unreadable(reason: string): FrontMatter {
  return { metadata: undefined, problem: reason }
}

function explain(error: unknown): string {
  // Of JSON, which such a value has no end in.
  if (error instanceof TypeError) return 'An alias in it stands for itself.'
  if (!(error instanceof YAMLException)) throw error
  // Lines are counted from 0, and the first line of the README is the `---` above.
  const place = error.mark === undefined || error.mark === null ? '' : ` (line ${error.mark.line + 2})`
  return `It is not valid YAML: ${error.reason}${place}.`
}
