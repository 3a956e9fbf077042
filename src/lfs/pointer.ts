/** LFS pointer files (git-lfs docs/spec.md, "The Pointer"): what Git stores instead of the content. */
import { type LfsOid, parseLfsOid } from './oid.ts'

export interface LfsPointer {
  lfsOid: LfsOid
  sizeBytes: number
}

/** A pointer file is shorter than this, and no client looks at longer blobs. */
export const pointerMaxBytes = 1024

const versionUrl = 'https://git-lfs.github.com/spec/v1'
// Written by the pre-release client and still read by today's.
const versionUrls = new Set([versionUrl, 'https://hawser.github.com/spec/v1', 'http://git-media.io/v/2'])
/** What every pointer begins with. */
export const pointerStart = Buffer.from('version ')
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The pointer that a blob holds, or undefined if it is none. Reads whatever git-lfs would replace by the content: like
 * it, white space at the end does not matter. Keys this server does not know (extensions) are passed over.
 */
export function parsePointer(blob: Uint8Array): LfsPointer | undefined {
  // First, since a push asks this of every small blob.
  if (blob.length >= pointerMaxBytes || !pointerStart.equals(blob.subarray(0, pointerStart.length))) return undefined
  const fields = readFields(blob)
  if (fields === undefined || !versionUrls.has(fields.get('version') ?? '')) return undefined
  const [method, hash] = (fields.get('oid') ?? '').split(':')
  const lfsOid = method === 'sha256' ? parseLfsOid(hash) : undefined
  const sizeBytes = readSize(fields.get('size') ?? '')
  return lfsOid === undefined || sizeBytes === undefined ? undefined : { lfsOid, sizeBytes }
}

/** The canonical text of a pointer; the empty file stands for empty content. */
export function writePointer(pointer: LfsPointer): string {
  if (pointer.sizeBytes === 0) return ''
  return `version ${versionUrl}\noid sha256:${pointer.lfsOid}\nsize ${pointer.sizeBytes}\n`
}

/** Lines of `key value`: the version first, then keys in ascending order, none twice. Undefined for anything else. */
function readFields(blob: Uint8Array): Map<string, string> | undefined {
  const fields = new Map<string, string>()
  let previous = ''
  for (const line of decode(blob).trimEnd().split('\n')) {
    const [, key, value] = /^([a-z0-9.-]+) (.+?)\r?$/.exec(line) ?? []
    if (key === undefined || value === undefined) return undefined
    const isFirst = fields.size === 0
    if (isFirst !== (key === 'version') || key <= previous) return undefined
    if (!isFirst) previous = key
    fields.set(key, value)
  }
  return fields
}

function decode(blob: Uint8Array): string {
  try {
    return utf8.decode(blob)
  } catch {
    return ''
  }
}

function readSize(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined
  const sizeBytes = Number(text)
  return Number.isSafeInteger(sizeBytes) ? sizeBytes : undefined
}
