/** Serves a fetch: one request of git-upload-pack over a stateless transport. */
import type { Limits } from '../../config.ts'
import type { FetchHost } from '../host.ts'
import type { ByteStream } from '../object-id.ts'
import type { ProtocolVersion } from './capabilities.ts'

export interface UploadPackOptions {
  version: ProtocolVersion
  limits: Limits
  /** Fires when the client has gone. */
  signal: AbortSignal
}

/** TODO */
export async function* uploadPack(
  _host: FetchHost,
  _request: ByteStream,
  _options: UploadPackOptions,
): AsyncGenerator<Uint8Array> {
  throw new Error('not yet')
}
