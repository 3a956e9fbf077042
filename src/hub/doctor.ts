/** Examines what the hub stands on, with words about what to do. The hub is open: database and bucket answered once. */
import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { probeKey } from '../bucket/keys.ts'
import { oneChunk } from '../bucket/streams.ts'
import { readDatabaseFacts } from '../database/checks.ts'
import type { Hub } from './hub.ts'

export interface Finding {
  subject: string
  /** `advice` is no fault: it works, and something better is possible. */
  verdict: 'well' | 'advice' | 'fault'
  message: string
}

/** Examines everything; a part that fails becomes a finding and stops nothing. */
export async function examine(hub: Hub): Promise<Finding[]> {
  const { config } = hub
  return [
    await finding('database', () => examineDatabase(hub)),
    await finding('bucket', () => examineBucket(hub)),
    await finding('disk', () => examineDisk(hub)),
    await finding('public URL', async () => examinePublicUrl(config.publicUrl, config.host)),
  ]
}

type Opinion = Omit<Finding, 'subject'>

const well = (message: string): Opinion => ({ verdict: 'well', message })
const advice = (message: string): Opinion => ({ verdict: 'advice', message })
const fault = (message: string): Opinion => ({ verdict: 'fault', message })

async function finding(subject: string, look: () => Promise<Opinion>): Promise<Finding> {
  try {
    return { subject, ...(await look()) }
  } catch (error) {
    return { subject, ...fault(error instanceof Error ? error.message : String(error)) }
  }
}

/** graphile-worker, pg's features and our SQL were tried from this version on. */
const databaseVersionMin = 14

async function examineDatabase({ database, config }: Hub): Promise<Opinion> {
  const startMs = performance.now()
  const { version, connections, connectionsMax } = await readDatabaseFacts(database)
  const tookMs = Math.ceil(performance.now() - startMs)
  const kind = config.databaseUrl === undefined ? 'embedded PostgreSQL' : 'PostgreSQL'
  const facts = `${kind} ${version}, migrated, answers in ${tookMs} ms, ${connections} of ${connectionsMax} connections`
  if (Number.parseInt(version, 10) < databaseVersionMin)
    return fault(`${facts}. Upgrade to ${databaseVersionMin} or later`)
  if (connections > connectionsMax * 0.8) return advice(`${facts}. Raise max_connections before adding servers`)
  return well(facts)
}

async function examineBucket({ bucket, config }: Hub): Promise<Opinion> {
  const key = probeKey()
  const bytes = randomBytes(1024)
  const startMs = performance.now()
  await bucket.put(key, oneChunk(bytes))
  try {
    const chunks: Uint8Array[] = []
    for await (const chunk of await bucket.get(key)) chunks.push(chunk)
    if (!Buffer.concat(chunks).equals(bytes)) return fault('other bytes came back than were written')
  } finally {
    await bucket.delete([key])
  }
  const tookMs = Math.ceil(performance.now() - startMs)
  const place = config.s3 === undefined ? `${config.dataDir}/bucket` : `${config.s3.bucket} at ${config.s3.endpoint}`
  return well(`${place}: written, read and deleted in ${tookMs} ms`)
}

const freeBytesMin = 5 * 1024 ** 3

async function examineDisk({ repositories, config }: Hub): Promise<Opinion> {
  const freeBytes = await repositories.freeDiskBytes()
  const facts = `${config.dataDir} is writable, ${(freeBytes / 1024 ** 3).toFixed(1)} GiB are free`
  if (freeBytes >= freeBytesMin) return well(facts)
  return advice(`${facts}. Make room: pushes gather here before they are stored`)
}

/** What a person on another machine can do with the URL, judged by its text alone. */
export function examinePublicUrl(publicUrl: string, listeningHost: string): Opinion {
  const { protocol, hostname } = new URL(publicUrl)
  const host = hostname.replace(/^\[|\]$/g, '')
  if (host === '0.0.0.0' || host === '::') return fault(`${publicUrl} is no address to call. Set PUBLIC_URL`)
  if (isLoopback(host)) {
    const facts = `${publicUrl} is reachable from this machine only`
    return isLoopback(listeningHost) ? well(facts) : advice(`${facts}, and HOST is ${listeningHost}. Set PUBLIC_URL`)
  }
  if (protocol === 'https:') return well(publicUrl)
  return advice(`${publicUrl} sends tokens unencrypted. Put a proxy with TLS in front and name it in PUBLIC_URL`)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
