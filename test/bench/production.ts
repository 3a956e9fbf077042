/** Holdfast in production's shape on one machine: PostgreSQL of its own, bytes in MinIO, near or 20 ms away. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.ts'
import { createLogger } from '../../src/logger.ts'
import { startMinio } from '../support/minio.ts'
import { productionSettings, startTestServer } from '../support/test-server.ts'
import { type Bench, shared } from './bench-run.ts'
import { benchSettings, type Holdfast, openHoldfast, readPostmaster } from './holdfast.ts'

export interface Production extends Holdfast {
  /** The settings of this server: a second one with the same is a second server of the same deployment. */
  settings: Record<string, string>
  store: Store
}

/** The bucket, for clients that go to it themselves. */
export interface Store {
  endpoint: string
  bucket: string
  region: string
  accessKey: string
  secretKey: string
  pids(): number[]
}

export const farRoundTripMs = 20

export const productionOf = shared(async (bench, distance: 'near' | 'far'): Promise<Production> => {
  const dataDir = join(bench.folder, `production-${distance}`)
  // Not the tests' PostgreSQL, which writes nothing through to the disk.
  const postgres = await startEmbeddedPostgres({ dataDir, logger: createLogger('silent') })
  bench.teardown(() => postgres.close())
  const minio = await startMinio()
  bench.teardown(() => minio.stop())
  const s3 = minio.newBucket()
  if (distance === 'far') s3.endpoint = await startDelay(bench, new URL(s3.endpoint))
  const settings = { ...benchSettings, ...productionSettings(postgres.url, s3) }
  const server = await startTestServer(bench, settings)
  const holdfast = await openHoldfast(bench, server, readPostmaster(dataDir))
  return { ...holdfast, settings, store: { ...s3, pids: () => [minio.pid()] } }
})

/** A TCP proxy that holds every byte for half a round trip, in both directions. */
async function startDelay(bench: Bench, target: URL): Promise<string> {
  const proxy = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    passLater(near, far)
    passLater(far, near)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  bench.teardown(() => proxy.close())
  return `http://127.0.0.1:${(proxy.address() as { port: number }).port}`
}

function passLater(from: Socket, to: Socket): void {
  const later = (run: () => void) => setTimeout(run, farRoundTripMs / 2)
  from.setNoDelay(true)
  from.on('data', (chunk) => later(() => to.write(chunk)))
  from.on('end', () => later(() => to.end()))
  from.on('error', () => to.destroy())
  from.on('close', () => later(() => to.destroy()))
}
