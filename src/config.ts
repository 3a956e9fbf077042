/**
 * Every setting, read once from the environment; config/*.env are the settings, annotated. A wrong value
 * stops the start with a sentence that names the setting.
 */

import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { envSchema } from 'env-schema'
import { type Static, Type } from 'typebox'
import { defaultLimits, type Limits } from './limits.ts'

export type { Limits } from './limits.ts'

const GiB = 1024 ** 3

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
  WORKER_THREADS: Type.Optional(Type.Integer({ minimum: 1, maximum: 256 })),
  SPOOL_MAX_BYTES: Type.Integer({ default: 128 * GiB, minimum: 1 }),
  GIT_BLOB_MAX_BYTES: Type.Integer({ default: defaultLimits.gitBlobMaxBytes, minimum: 1 }),
  GIT_PACK_MAX_BYTES: Type.Integer({ default: defaultLimits.gitPackMaxBytes, minimum: 1 }),
  REQUESTS_PER_MINUTE_MAX: Type.Integer({ default: defaultLimits.requestsPerMinuteMax, minimum: 0 }),
  LFS_OBJECT_MAX_BYTES: Type.Integer({ default: defaultLimits.lfsObjectMaxBytes, minimum: 1 }),
  GIT_CLONE_LINK_MIN_BYTES: Type.Integer({ default: defaultLimits.cloneLinkMinBytes, minimum: 0 }),
  LFS_SINGLE_PUT_MAX_BYTES: Type.Integer({ default: defaultLimits.lfsSinglePutMaxBytes, minimum: 1 }),
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
  /** For work that takes the processor for long. Without the setting: all processors but one, at least 1. */
  workerThreads: number
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
    workerThreads: env.WORKER_THREADS ?? Math.max(1, availableParallelism() - 1),
    limits: {
      ...defaultLimits,
      gitBlobMaxBytes: env.GIT_BLOB_MAX_BYTES,
      gitPackMaxBytes: env.GIT_PACK_MAX_BYTES,
      requestsPerMinuteMax: env.REQUESTS_PER_MINUTE_MAX,
      lfsObjectMaxBytes: env.LFS_OBJECT_MAX_BYTES,
      cloneLinkMinBytes: env.GIT_CLONE_LINK_MIN_BYTES,
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
