/** Stored bytes as an answer: not at all where the client has them, whole, or one range of them (RFC 9110 §13, §14). */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ByteStream } from '../../git/object-id.ts'
import { startPacedStream } from '../byte-stream.ts'
import { type HttpByteRange, pickRange } from './range.ts'

export interface StoredBytes {
  /** Strong, with its quotes. */
  etag: string
  sizeBytes: number
  /** A chunk need not hold longer than until the next is asked for. */
  read(range: HttpByteRange | undefined): Promise<ByteStream>
}

/** True where the client says that it has this version: the answer is 304, without the bytes. */
export function isNotModified(request: FastifyRequest, etag: string): boolean {
  const known = (request.headers['if-none-match'] ?? '').split(',').map((value) => value.trim().replace(/^W\//, ''))
  return known.includes(etag) || known.includes('*')
}

/** Sends the bytes, or the range that the request names, or for HEAD their length alone. Throws RangeUnsatisfiable. */
export async function sendBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  { etag, sizeBytes, read }: StoredBytes,
): Promise<FastifyReply> {
  const range = request.method === 'GET' ? pickRange(request.headers, sizeBytes, etag) : undefined
  reply.header('content-length', range === undefined ? sizeBytes : range.end - range.start + 1)
  if (range !== undefined) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${sizeBytes}`)
  if (request.method === 'HEAD') return reply.send()
  return reply.send(sizeBytes === 0 ? Readable.from([]) : await startPacedStream(await read(range), request))
}
