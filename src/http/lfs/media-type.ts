/** The media type of the LFS API, which requests and answers have to name (git-lfs docs/api/batch.md). */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HoldfastError } from '../../errors.ts'
import { lfsMediaType } from '../../lfs/batch.ts'

/** Makes all routes of `server` take LFS JSON and no other bodies. */
export function takeLfsJson(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(lfsMediaType, { parseAs: 'string' }, server.getDefaultJsonParser('error', 'error'))
  server.addHook('onRequest', async (request) => {
    if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw new HoldfastError('MediaTypeUnsupported')
    }
  })
}

/** The same for routes behind signed links: huggingface_hub names plain JSON there, and JavaScript no type at all. */
export function takeJsonOfAnyType(server: FastifyInstance): void {
  takeLfsJson(server)
  server.addContentTypeParser('*', { parseAs: 'string' }, server.getDefaultJsonParser('error', 'error'))
}

/** Throws NotAcceptable unless the request takes LFS JSON for an answer. */
export async function checkAccept(request: FastifyRequest): Promise<void> {
  const accepted = (request.headers.accept ?? '*/*')
    .split(',')
    .map((range) => range.split(';', 1)[0]!.trim().toLowerCase())
  if (accepted.some((range) => range === lfsMediaType || range === '*/*' || range === 'application/*')) return
  throw new HoldfastError('NotAcceptable', { message: `This route answers in ${lfsMediaType}.` })
}
