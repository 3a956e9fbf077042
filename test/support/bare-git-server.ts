/** Real Git clients against the protocol code alone: HTTP over a bare repository on disk and a push host of the test's. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { openBareRepository } from '../../src/bare/bare-repository.ts'
import { readConfig } from '../../src/config.ts'
import type { FetchHost, PushHost } from '../../src/git/host.ts'
import type { ByteStream } from '../../src/git/object-id.ts'
import { advertiseRefs } from '../../src/git/protocol/advertise-refs.ts'
import type { GitService, ProtocolVersion } from '../../src/git/protocol/capabilities.ts'
import { receivePack } from '../../src/git/protocol/receive-pack.ts'
import { uploadPack } from '../../src/git/protocol/upload-pack.ts'
import { locateId } from '../../src/git/repository.ts'
import { ReachedObjects } from '../../src/git/walk/reached-objects.ts'

export const limits = readConfig({}).limits

export interface GitServer {
  url: string
  /** Bytes of request bodies as they came, by request. */
  requests: { path: string; bytes: number }[]
  /** What the server threw. */
  failures: unknown[]
  close(): Promise<void>
}

/** A host over the bare repository at `path`, opened anew for every request. */
export async function withBareHost<T>(path: string, using: (host: FetchHost) => Promise<T>): Promise<T> {
  const repository = await openBareRepository(path)
  const host: FetchHost = {
    refs: () => repository.refs(),
    streamObjects: (run) => run(repository.objects),
    refusedWants: async (objects, { headId, refs }, wants) => {
      const ids = [...refs.map(({ id }) => id), ...(headId === undefined ? [] : [headId])]
      const walk = new ReachedObjects(
        objects,
        ids.map((id) => locateId(objects, id)),
      )
      const located = wants.map((id) => locateId(objects, id))
      const unreached = new Set(await walk.findUnreached(located.filter((ordinal) => ordinal >= 0)))
      return wants.filter((_, index) => located[index] < 0 || unreached.has(located[index]))
    },
  }
  try {
    return await using(host)
  } finally {
    repository.close()
  }
}

/** Serves fetches from `path`, and pushes to `pushHost`. */
export async function startGitServer(path: string, pushHost?: PushHost): Promise<GitServer> {
  const requests: GitServer['requests'] = []
  const failures: unknown[] = []
  const server = createServer((request, response) => {
    answer(path, pushHost, request, response, requests).catch((error) => {
      failures.push(error)
      response.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/repo.git`
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url, requests, failures, close }
}

async function answer(
  path: string,
  pushHost: PushHost | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  requests: GitServer['requests'],
) {
  const url = new URL(request.url ?? '', 'http://localhost')
  const version = parseVersion(request.headers['git-protocol'])
  const entry = { path: url.pathname, bytes: 0 }
  requests.push(entry)
  const abort = new AbortController()
  response.on('close', () => abort.abort())
  const options = { version, limits, signal: abort.signal }
  const body = inflated(request, entry)
  const send = (type: string, stream: ByteStream) => {
    response.setHeader('content-type', `application/x-${type}`)
    return pipeline(Readable.from(stream, { objectMode: false }), response)
  }
  await withBareHost(path, async (host) => {
    if (url.pathname.endsWith('/info/refs')) {
      const service = url.searchParams.get('service') as GitService
      await send(`${service}-advertisement`, advertiseRefs(host, { service, version, smartHttp: true }))
    } else if (url.pathname.endsWith('/git-upload-pack')) {
      await send('git-upload-pack-result', uploadPack(host, body, options))
    } else if (pushHost !== undefined) {
      await send('git-receive-pack-result', receivePack(pushHost, body, options))
    }
  })
}

function parseVersion(header: string | string[] | undefined): ProtocolVersion {
  const version = /version=([12])/.exec(String(header))?.[1]
  return version === undefined ? 0 : (Number(version) as ProtocolVersion)
}

async function* inflated(request: IncomingMessage, entry: { bytes: number }): AsyncGenerator<Uint8Array> {
  const stream = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request
  for await (const chunk of stream) {
    entry.bytes += chunk.length
    yield chunk
  }
}
