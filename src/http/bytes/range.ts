/** One range of bytes, as HTTP asks for it (RFC 9110 §14). */
import { HoldfastError } from '../../errors.ts'

/** Bytes `start` up to and including `end`. */
export interface HttpByteRange {
  start: number
  end: number
}

export interface RangeHeaders {
  range?: string
  'if-range'?: string
}

/**
 * The range to answer with 206, or undefined for the whole: without a Range header, for units and lists of ranges this
 * server does not serve (both may be ignored, §14.2), and when `If-Range` names another version than `etag`. Throws
 * RangeUnsatisfiable with `details.sizeBytes`.
 */
export function pickRange(headers: RangeHeaders, sizeBytes: number, etag: string): HttpByteRange | undefined {
  const ifRange = headers['if-range']
  if (ifRange !== undefined && ifRange !== etag) return undefined
  const [, first, last] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(headers.range ?? '') ?? []
  if (first === undefined || last === undefined || first + last === '') return undefined
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  if (start > end) throw new HoldfastError('RangeUnsatisfiable', { details: { sizeBytes } })
  return { start, end }
}
