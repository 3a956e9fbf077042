/**
 * Every setting and every limit, read once from the environment; config/*.env are the settings, annotated. A wrong value
 * stops the start with a sentence that names the setting.
 */

import { resolve } from 'node:path'
import { envSchema } from 'env-schema'
import { type Static, Type } from 'typebox'

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB

const Environment = Type.Object({
  HOST: Type.String({ default: '127.0.0.1' }),
  PORT: Type.Integer({ default: 3000, minimum: 0, maximum: 65535 }),
  PUBLIC_URL: Type.Optional(Type.String({ pattern: '^https?://[^/]+/?$' })),
  DATA_DIR: Type.String({ default: './data' }),
  DATABASE_URL: Type.Optional(Type.String({ pattern: '^postgres(ql)?://' })),
  S3_ENDPOINT: Type.Optional(Type.String({ pattern: '^https?://' })),
  S3_PUBLIC_ENDPOINT: Type.Optional(Type.String({ pattern: '^https?://' })),
  S3_BUCKET: Type.String({ default: 'holdfast' }),
  S3_REGION: Type.String({ default: 'us-east-1' }),
  S3_ACCESS_KEY: Type.String({ default: '' }),
  S3_SECRET_KEY: Type.String({ default: '' }),
  TRUST_PROXY: Type.String({ default: '' }),
  LOG_LEVEL: Type.String({ default: 'info', pattern: '^(trace|debug|info|warn|error|fatal|silent)$' }),
  JOBS: Type.String({ default: 'on', pattern: '^(on|off)$' }),
  PACK_CACHE_MAX_BYTES: Type.Integer({ default: 20 * GiB, minimum: 0 }),
  SPOOL_MAX_BYTES: Type.Integer({ default: 128 * GiB, minimum: 1 }),
  GIT_BLOB_MAX_BYTES: Type.Integer({ default: 10 * MiB, minimum: 1 }),
  GIT_PACK_MAX_BYTES: Type.Integer({ default: 64 * GiB, minimum: 1 }),
  LFS_OBJECT_MAX_BYTES: Type.Integer({ default: 1024 * GiB, minimum: 1 }),
  LFS_SINGLE_PUT_MAX_BYTES: Type.Integer({ default: 5 * GiB, minimum: 1 }),
})

/** Where an S3-compatible object store is and how to sign for it. `publicEndpoint` is what presigned URLs name. */
export interface S3Config {
  endpoint: string
  publicEndpoint: string
  bucket: string
  region: string
  accessKey: string
  secretKey: string
}

/** Limits on what comes from outside (design law 5). Bytes, milliseconds, seconds and counts as the names say. */
export interface Limits {
  gitBlobMaxBytes: number
  gitPackMaxBytes: number
  gitPackMaxObjects: number
  gitObjectHeldMaxBytes: number
  gitDeltaDepthMax: number
  gitTagDepthMax: number
  gitPathMaxBytes: number
  gitCommandsMax: number
  gitPushOptionsMax: number
  gitRefNameMaxBytes: number
  gitWantsMax: number
  gitHavesMax: number
  gitRefPrefixesMax: number
  gitDepthMax: number
  gitRequestInflatedMaxBytes: number
  lfsObjectMaxBytes: number
  lfsSinglePutMaxBytes: number
  lfsBatchMaxObjects: number
  lfsLinkExpiresInSeconds: number
  lfsOfferKeptSeconds: number
  lfsLocksPageMax: number
  lfsPathMaxBytes: number
  jsonBodyMaxBytes: number
  listPageMax: number
  accountNameMaxLength: number
  repoNameMaxLength: number
  tokenNameMaxLength: number
  passwordMinLength: number
  passwordMaxLength: number
  passwordChecksAtOnceMax: number
  passwordChecksQueuedMax: number
  passwordProvenForSeconds: number
  signInFailuresMax: number
  signInFailuresPerAddressMax: number
  signInWindowSeconds: number
  gracefulStopMs: number
  readyTimeoutMs: number
  refLogRetentionSeconds: number
  siblingsMax: number
  folderEntriesMax: number
  pushPointersMax: number
  unreadBodyMaxBytes: number
  httpHeadersTimeoutMs: number
  httpIdleTimeoutMs: number
  httpKeepAliveTimeoutMs: number
  doomedBytesGraceSeconds: number
  orphanBytesGraceSeconds: number
  compactionPacksMin: number
}

const fixedLimits = {
  gitPackMaxObjects: 50_000_000,
  gitObjectHeldMaxBytes: 16 * MiB,
  gitDeltaDepthMax: 4_095,
  // Tags of tags of tags: each ref that names one is followed to its end, again and again.
  gitTagDepthMax: 32,
  gitPathMaxBytes: 4 * KiB,
  gitCommandsMax: 100_000,
  gitPushOptionsMax: 1_000,
  gitRefNameMaxBytes: 1_024,
  gitWantsMax: 600_000,
  gitHavesMax: 600_000,
  gitRefPrefixesMax: 65_536,
  gitDepthMax: 0x7fffffff,
  gitRequestInflatedMaxBytes: 64 * MiB,
  lfsBatchMaxObjects: 10_000,
  lfsLinkExpiresInSeconds: 3_600,
  // Longer than the longest upload may take: its offer is what the finished upload is noted on.
  lfsOfferKeptSeconds: 14 * 86_400,
  lfsLocksPageMax: 1_000,
  lfsPathMaxBytes: 4 * KiB,
  jsonBodyMaxBytes: 8 * MiB,
  listPageMax: 1_000,
  accountNameMaxLength: 64,
  repoNameMaxLength: 96,
  tokenNameMaxLength: 96,
  passwordMinLength: 8,
  passwordMaxLength: 256,
  // Each holds 128 MiB and one of the four threads that file reads need as well.
  passwordChecksAtOnceMax: 2,
  passwordChecksQueuedMax: 32,
  // git sends the password with each of its many requests; a check costs 0.4 s.
  passwordProvenForSeconds: 300,
  signInFailuresMax: 10,
  // A whole office may stand behind one address.
  signInFailuresPerAddressMax: 100,
  signInWindowSeconds: 900,
  gracefulStopMs: 60_000,
  readyTimeoutMs: 5_000,
  refLogRetentionSeconds: 90 * 86_400,
  // Repositories with more files are listed by their tree instead: huggingface_hub does so from 50,000 on.
  siblingsMax: 100_000,
  // A page costs a walk over what came before it, 1 s for so many.
  folderEntriesMax: 2_000_000,
  // Each is an oid and a blob's id in memory, and an element of the transaction's arrays.
  pushPointersMax: 1_000_000,
  unreadBodyMaxBytes: 64 * MiB,
  httpHeadersTimeoutMs: 30_000,
  // Silence in both directions. Longer than any pause of ours: side-band keep-alives come far more often.
  httpIdleTimeoutMs: 600_000,
  // Above the 60 s after which common balancers give up an idle connection, so that they close it first.
  httpKeepAliveTimeoutMs: 75_000,
  // Longer than the longest response may last: a reader may still hold a link or a catalogue row of these bytes.
  doomedBytesGraceSeconds: 86_400,
  orphanBytesGraceSeconds: 2 * 86_400,
  compactionPacksMin: 20,
} satisfies Partial<Limits>

export interface Config {
  host: string
  port: number
  /** Without a trailing slash; undefined until the port is known when PORT is 0. */
  publicUrl: string
  dataDir: string
  databaseUrl: string | undefined
  s3: S3Config | undefined
  trustProxy: string
  logLevel: string
  jobs: boolean
  packCacheMaxBytes: number
  spoolMaxBytes: number
  limits: Limits
}

/** Reads the settings from `environment` (process.env by default). Throws an Error that names the wrong setting. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const env = envSchema<Static<typeof Environment>>({ schema: Environment, data: set, dotenv: false, env: false })
  for (const name of urlSettings) checkUrl(name, env[name])
  return {
    host: env.HOST,
    port: env.PORT,
    publicUrl: (env.PUBLIC_URL ?? `http://${hostInUrl(env.HOST)}:${env.PORT}`).replace(/\/$/, ''),
    dataDir: resolve(env.DATA_DIR),
    databaseUrl: env.DATABASE_URL,
    s3: env.S3_ENDPOINT === undefined ? undefined : readS3Config(env, env.S3_ENDPOINT),
    trustProxy: env.TRUST_PROXY,
    logLevel: env.LOG_LEVEL,
    jobs: env.JOBS === 'on',
    packCacheMaxBytes: env.PACK_CACHE_MAX_BYTES,
    spoolMaxBytes: env.SPOOL_MAX_BYTES,
    limits: {
      ...fixedLimits,
      gitBlobMaxBytes: env.GIT_BLOB_MAX_BYTES,
      gitPackMaxBytes: env.GIT_PACK_MAX_BYTES,
      lfsObjectMaxBytes: env.LFS_OBJECT_MAX_BYTES,
      lfsSinglePutMaxBytes: env.LFS_SINGLE_PUT_MAX_BYTES,
    },
  }
}

/** An address to listen on, as URLs spell it: one of IPv6 in brackets. */
export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

const urlSettings = ['PUBLIC_URL', 'DATABASE_URL', 'S3_ENDPOINT', 'S3_PUBLIC_ENDPOINT'] as const

/** The value itself is not repeated: it may hold a password. */
function checkUrl(name: string, value: string | undefined): void {
  if (value === undefined || URL.canParse(value)) return
  throw new Error(`${name} is not a URL. In a password, write # as %23, / as %2F, @ as %40 and % as %25.`)
}

function readS3Config(env: Static<typeof Environment>, endpoint: string): S3Config {
  if (env.S3_ACCESS_KEY === '' || env.S3_SECRET_KEY === '') {
    throw new Error('S3_ENDPOINT is set, but S3_ACCESS_KEY or S3_SECRET_KEY is not.')
  }
  return {
    endpoint,
    publicEndpoint: env.S3_PUBLIC_ENDPOINT ?? endpoint,
    bucket: env.S3_BUCKET,
    region: env.S3_REGION,
    accessKey: env.S3_ACCESS_KEY,
    secretKey: env.S3_SECRET_KEY,
  }
}
