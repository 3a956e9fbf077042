/** Clone and fetch: what the protocol may show a caller who may read the repository. */
import type { FetchHost } from '../git/host.ts'
import type { ByteStream } from '../git/object-id.ts'
import { type AdvertiseOptions, advertiseRefs } from '../git/protocol/advertise-refs.ts'
import type { ProtocolVersion } from '../git/protocol/capabilities.ts'
import { uploadPack } from '../git/protocol/upload-pack.ts'
import { findInvisibleIds } from './commit-visibility.ts'
import type { Hub } from './hub.ts'
import { pushNonce } from './push-certificates.ts'
import type { Repo } from './repo.ts'
import { visibleRefs } from './visible-refs.ts'

/** The repository as the protocol's fetch side sees it. Access (read) has been decided. */
export function fetchHost(hub: Hub, repo: Repo): FetchHost {
  return {
    refs: async () => (await visibleRefs(hub, repo)).snapshot,
    streamObjects: (using) => hub.repositories.streamObjects(repo, using),
    refusedWants: (objects, refs, wants) => findInvisibleIds(hub, repo, { objects, refs, ids: wants }),
  }
}

/** The answer to `info/refs?service=…` over HTTP. */
export function advertise(hub: Hub, repo: Repo, options: Omit<AdvertiseOptions, 'smartHttp'>): ByteStream {
  const host = { ...fetchHost(hub, repo), pushNonce: () => pushNonce(hub, repo) }
  return advertiseRefs(host, { ...options, smartHttp: true })
}

export interface FetchOptions {
  version: ProtocolVersion
  signal: AbortSignal
  /** Asked for a place before objects are read; the function it resolves to gives the place back. */
  admit: () => Promise<() => void>
}

function admitting(host: FetchHost, admit: FetchOptions['admit']): FetchHost {
  return {
    ...host,
    async *streamObjects(using) {
      const leave = await admit()
      try {
        yield* host.streamObjects(using)
      } finally {
        leave()
      }
    },
  }
}

/** The answer to one request of `git-upload-pack`. `signal` fires when the client has gone. */
export function fetch(hub: Hub, repo: Repo, request: ByteStream, { admit, ...options }: FetchOptions): ByteStream {
  return uploadPack(admitting(fetchHost(hub, repo), admit), request, { ...options, limits: hub.config.limits })
}
