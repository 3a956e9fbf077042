/**
 * Ends transfers whose client takes or sends almost nothing: each holds a place, open packs and memory. Only the time that
 * the server waits for the client counts, never that in which the client waits for the server.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HoldfastError } from '../errors.ts'
import type { Limits } from '../limits.ts'

interface Transfer {
  request: FastifyRequest
  /** Bytes that had passed when it was looked at last; undefined where the server was not waiting then. */
  passedBytes: number | undefined
}

/** Looks at every request once in `transferRateWindowMs`, and ends what was slower over a whole window. */
export function endSlowTransfers(
  server: FastifyInstance,
  { transferRateMinBytesPerSecond, transferRateWindowMs }: Limits,
): void {
  const transfers = new Set<Transfer>()
  const leastBytes = (transferRateMinBytesPerSecond * transferRateWindowMs) / 1000
  server.addHook('onRequest', (request, reply, done) => {
    const transfer = { request, passedBytes: undefined }
    transfers.add(transfer)
    reply.raw.once('close', () => transfers.delete(transfer))
    done()
  })
  const looking = setInterval(() => {
    for (const transfer of transfers) look(transfer, leastBytes)
  }, transferRateWindowMs)
  looking.unref()
  server.addHook('onClose', async () => clearInterval(looking))
}

function look(transfer: Transfer, leastBytes: number): void {
  const { request, passedBytes } = transfer
  const passed = isWaiting(request) ? countPassed(request) : undefined
  if (passed !== undefined && passedBytes !== undefined && passed - passedBytes < leastBytes) {
    const error = new HoldfastError('InputTruncated', { message: 'The client was too slow.' })
    request.failure = { code: error.code, error }
    request.raw.socket.destroy()
  }
  transfer.passedBytes = passed
}

/** True where the next step is the client's: to send more of the body, or to take more of the response. */
function isWaiting({ raw }: FastifyRequest): boolean {
  const isSending = !raw.complete && raw.readableLength === 0
  return isSending || raw.socket.writableLength > 0
}

/** In steps of what was written at once, at most some 256 KiB: a window must be long enough for one of them at the least rate. */
function countPassed({ raw: { socket } }: FastifyRequest): number {
  return socket.bytesRead + socket.bytesWritten - socket.writableLength
}
