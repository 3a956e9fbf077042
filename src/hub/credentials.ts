/**
 * Secrets and how they are kept: tokens (random, stored as their SHA-256, which is enough for 238 random bits) and
 * passwords (scrypt, RFC 7914). Nothing here knows accounts.
 */
import { createHash, randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto'
import type { Limits } from '../config.ts'
import { HoldfastError } from '../errors.ts'

export type Credentials =
  | { kind: 'none' }
  | { kind: 'bearer'; token: string }
  | { kind: 'basic'; user: string; secret: string }

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const tokenPattern = /^hf_[0-9A-Za-z]{40}$/

/** A fresh token. The `hf_` in front is what the Hub's clients insist on. */
export function newToken(): string {
  return `hf_${Array.from({ length: 40 }, () => base62[randomInt(base62.length)]).join('')}`
}

/** Whether a text has the form of a token; says nothing about whether it is one. */
export function isToken(text: string): boolean {
  return tokenPattern.test(text)
}

/** What is stored of a token, and looked up. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

// 2^17 × 8 × 128 bytes = 128 MiB and about 0.4 s each: the least that OWASP advises. `maxmem` needs some slack above it.
const costLog2 = 17
const blockSize = 8
const parallelization = 1
const hashBytes = 32
const maxmem = 160 * 1024 * 1024

/** What is stored of a password: `scrypt$<log2 N>$<r>$<p>$<salt>$<hash>`, salt and hash in base64. */
export async function hashPassword(password: string, limits: Limits): Promise<string> {
  const salt = randomBytes(16)
  const hash = await deriveInTurn(password, salt, limits)
  return ['scrypt', costLog2, blockSize, parallelization, salt.toString('base64'), hash.toString('base64')].join('$')
}

/**
 * Whether `password` is the one that `stored` was made of. Undefined `stored` (no such user, no password) costs the same
 * and is false. Throws Unavailable when too many are waiting already.
 */
export async function verifyPassword(password: string, stored: string | undefined, limits: Limits): Promise<boolean> {
  const [, , , , salt, expected] = (stored ?? unmatchable).split('$')
  const hash = await deriveInTurn(password, Buffer.from(salt, 'base64'), limits)
  return timingSafeEqual(hash, Buffer.from(expected, 'base64')) && stored !== undefined
}

const unmatchable = `scrypt$${costLog2}$${blockSize}$${parallelization}$${randomBytes(16).toString('base64')}$${randomBytes(hashBytes).toString('base64')}`

// Memory and libuv's four threads belong to the process, so the queue does too.
let running = 0
const waiting: (() => void)[] = []

/** scrypt, few at once: each holds 128 MiB and one of libuv's four threads, which file reads need as well. */
async function deriveInTurn(password: string, salt: Buffer, limits: Limits): Promise<Buffer> {
  if (running >= limits.passwordChecksAtOnceMax) {
    if (waiting.length >= limits.passwordChecksQueuedMax) {
      throw new HoldfastError('Unavailable', {
        message: 'Too many passwords are being checked. Wait a few seconds, or sign in with a token.',
        details: { retryAfterSeconds: 5 },
      })
    }
    // The one that ends hands its turn over, so that `running` stays as it is.
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else {
    running++
  }
  try {
    return await derive(password, salt)
  } finally {
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}

function derive(password: string, salt: Buffer): Promise<Buffer> {
  // NFC, as two keyboards may type one letter as different code points.
  const text = password.normalize('NFC')
  const options = { N: 2 ** costLog2, r: blockSize, p: parallelization, maxmem }
  return new Promise((resolve, reject) => {
    scrypt(text, salt, hashBytes, options, (error, hash) => (error === null ? resolve(hash) : reject(error)))
  })
}
