/** Serves a push: one request of git-receive-pack over a stateless transport. */
import type { Limits } from '../../config.ts'
import type { PushHost } from '../host.ts'
import type { ByteStream } from '../object-id.ts'

export interface ReceivePackOptions {
  limits: Limits
  /** Fires when the client has gone. */
  signal: AbortSignal
}

/** TODO */
export async function* receivePack(
  _host: PushHost,
  _request: ByteStream,
  _options: ReceivePackOptions,
): AsyncGenerator<Uint8Array> {
  throw new Error('not yet')
}
