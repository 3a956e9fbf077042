/**
 * `Expect: 100-continue` (RFC 9110 §10.1.1). The client that sends it waits with its body: it is told to go on only
 * after credentials and access were found good, so that a push of many GiB is refused before its first byte.
 */
import type { IncomingMessage, RequestListener, Server } from 'node:http'
import type { FastifyInstance } from 'fastify'

const waiting = new WeakSet<IncomingMessage>()

/** Hands requests that expect a continue to the server's ordinary listener, without continuing them. */
export function holdContinues(server: Server, listener: RequestListener): void {
  server.on('checkContinue', (request, response) => {
    waiting.add(request)
    listener(request, response)
  })
}

/** Continues what came through authentication and access: register this hook behind theirs. */
export function continueAccepted(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    if (waiting.delete(request.raw)) reply.raw.writeContinue()
    done()
  })
  // Refused while the client waits: whether it sends the body after all is its choice, so the connection cannot be
  // used for another request.
  server.addHook('onSend', (request, reply, payload, done) => {
    if (waiting.has(request.raw)) reply.header('connection', 'close')
    done(null, payload)
  })
}
