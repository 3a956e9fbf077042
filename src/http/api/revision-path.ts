/** Revision and path in a URL, where clients disagree about which slashes to encode. */
import type { FastifyRequest } from 'fastify'
import { HoldfastError } from '../../errors.ts'
import { pathOf } from '../path-safety.ts'

/** The decoded segments that a route's `*` stands for: from the raw URL, as the router's decoding loses `%2F`. */
export function segmentsBehind(request: FastifyRequest): string[] {
  const segments = pathOf(request.raw.url!).slice(1).split('/')
  const prefixLength = request.routeOptions.url!.split('/').length - 2
  return segments.slice(prefixLength).map(decodeURIComponent).flatMap(splitBehindFirst)
}

/** All that a route's `*` stands for, as one name: some clients encode the slashes of a revision, some do not. */
export function revisionBehind(request: FastifyRequest): string {
  const segments = pathOf(request.raw.url!).slice(1).split('/')
  const prefixLength = request.routeOptions.url!.split('/').length - 2
  const revision = decodeURIComponent(segments.slice(prefixLength).join('/'))
  if (revision === '') throw new HoldfastError('RevisionNotFound')
  return revision
}

/** A revision is one segment, whatever it holds; clients may encode the slashes of the path behind it. */
function splitBehindFirst(segment: string, index: number): string[] {
  return index === 0 ? [segment] : segment.split('/')
}
