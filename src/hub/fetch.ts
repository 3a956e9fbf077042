/** Clone and fetch: what the protocol may show a caller who may read the repository. */
import { hash, randomUUID } from 'node:crypto'
import type { Database } from '../database/queryable.ts'
import type { ClientNotes, FetchHost } from '../git/host.ts'
import type { ByteStream } from '../git/object-id.ts'
import { type AdvertiseOptions, advertiseRefs } from '../git/protocol/advertise-refs.ts'
import { allOffers, type ProtocolVersion } from '../git/protocol/capabilities.ts'
import { uploadPack } from '../git/protocol/upload-pack.ts'
import { type Answer, type AnswerCache, type AnswerLimits, createAnswerCache, keptForMs } from './answer-cache.ts'
import { cloneLinks } from './clone-links.ts'
import { findInvisibleIds } from './commit-visibility.ts'
import type { Hub } from './hub.ts'
import { createLargeAnswers } from './large-answers.ts'
import { pushNonce } from './push-certificates.ts'
import type { Repo } from './repo.ts'
import { visibilityClassOf, visibleRefs } from './visible-refs.ts'

/** Names this process in the logs of clients, as theirs name them in ours. */
const sessionId = randomUUID()

/** The repository as the protocol's fetch side sees it, until `signal` fires. Access (read) has been decided. */
export function fetchHost(hub: Hub, repo: Repo, signal?: AbortSignal): FetchHost {
  const findHidden: FetchHost['refusedWants'] = (objects, refs, ids) =>
    findInvisibleIds(hub, repo, { objects, refs, ids, signal })
  const links = cloneLinks(hub, repo)
  return {
    offers: { ...allOffers, sessionId, cloneLinks: links !== undefined },
    cloneLinks: links,
    refs: async () => (await visibleRefs(hub, repo)).snapshot,
    streamObjects: (using) => hub.repositories.streamObjects(repo, using),
    packSender: (objects) => hub.repositories.packSender(objects),
    refusedWants: findHidden,
    hiddenShallow: findHidden,
    // Who sees all refs knows of all there is, and has no walk made.
    hiddenHaves: visibilityClassOf(repo) === '' ? undefined : findHidden,
  }
}

/** The answer to `info/refs?service=…` over HTTP. */
export async function advertise(hub: Hub, repo: Repo, options: Omit<AdvertiseOptions, 'smartHttp'>): Promise<Answer> {
  const { service, version } = options
  const nonce = service === 'git-receive-pack' ? pushNonce(hub, repo) : ''
  const host = { ...fetchHost(hub, repo), pushNonce: () => nonce }
  return await answersOf(hub).answer(
    answerKey(repo, ['advertise', service, String(version), nonce]),
    () => advertiseRefs(host, { ...options, smartHttp: true }),
    refsAnswer,
  )
}

export interface FetchOptions {
  version: ProtocolVersion
  signal: AbortSignal
  /** Asked for a place before objects are read; the function it resolves to gives the place back. */
  admit: () => Promise<() => void>
  /** Told what the client says of itself, unless the answer was known already. */
  noteClient?: (notes: ClientNotes) => void
}

function admitting(host: FetchHost, admit: FetchOptions['admit']): FetchHost {
  return {
    ...host,
    async *streamObjects(using) {
      yield* leaving(host.streamObjects(using), await admit())
    },
  }
}

/** The answer to one request of `git-upload-pack`. `signal` fires when the client has gone. */
export async function fetch(
  hub: Hub,
  repo: Repo,
  request: ByteStream,
  { admit, noteClient, ...given }: FetchOptions,
): Promise<Answer> {
  const host = { ...fetchHost(hub, repo, given.signal), noteClient }
  const options = { ...given, limits: hub.config.limits }
  const { head, isWhole, rest } = await readHead(request, keyedRequestMaxBytes)
  if (!isWhole || answersWithLinks(head)) return uploadPack(admitting(host, admit), rest, options)
  const key = answerKey(repo, ['fetch', String(options.version), hash('sha256', head, 'base64')])
  const answers = answersOf(hub)
  const produce = () => uploadPack(host, rest, options)
  if (head.includes('command=ls-refs')) return await answers.answer(key, produce, refsAnswer)
  // Each by their own limits: whoever waited for the answer to an equal request would wait for a place that another caller lacks.
  return answers.find(key) ?? (await admitted(admit, () => answers.answer(key, produce, packAnswer(head))))
}

/** The place is given back once there is an answer or, where it comes as a stream, when that has ended or was left. */
async function admitted(admit: FetchOptions['admit'], answer: () => Promise<Answer>): Promise<Answer> {
  const leave = await admit()
  let stream: ByteStream | undefined
  try {
    const given = await answer()
    if (given instanceof Uint8Array) return given
    stream = given
  } finally {
    if (stream === undefined) leave()
  }
  return leaving(stream, leave)
}

async function* leaving(stream: ByteStream, leave: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } finally {
    leave()
  }
}

/** The refs of a repository of 200,000. */
const refsAnswer: AnswerLimits = { maxBytes: 16 * 1024 * 1024, isLargeKept: false }

/** The objects of a small repository in memory. A whole clone is not worth a file: its pack lies ready. */
function packAnswer(request: Buffer): AnswerLimits {
  const isLargeKept = ['deepen', 'filter ', 'have '].some((word) => request.includes(word))
  return { maxBytes: 512 * 1024, isLargeKept }
}

/** Of kept answers on disk, which share their room with pushes on their way in. */
const keptOnDiskMaxBytes = 4 * 1024 ** 3
const spoolShare = 1 / 16

/** Longer requests tell of hundreds of commits that one client has: nobody else will ask the same. */
const keyedRequestMaxBytes = 16 * 1024

const answersByDatabase = new WeakMap<Database, AnswerCache>()

/** Ids of repositories are those of one database. */
function answersOf({ database, repositories, config }: Hub): AnswerCache {
  const answers =
    answersByDatabase.get(database) ??
    createAnswerCache(
      createLargeAnswers({
        createSpool: () => repositories.createSpool(),
        keptMaxBytes: Math.min(keptOnDiskMaxBytes, Math.floor(config.spoolMaxBytes * spoolShare)),
        keptForMs,
      }),
    )
  answersByDatabase.set(database, answers)
  return answers
}

/** All that an answer depends on: refs and packs as they were when the repository was opened, who sees what, what was asked. */
function answerKey(repo: Repo, asked: readonly string[]): string {
  return JSON.stringify([repo.id, repo.refsVersion, repo.packsVersion, visibilityClassOf(repo), ...asked])
}

/** Links expire: answers that hold some are made anew. */
function answersWithLinks(request: Buffer): boolean {
  return request.includes('command=bundle-uri') || request.includes('packfile-uris ')
}

/** Up to about `maxBytes` of `stream`; `rest` is all of it again, what was read in front, and throws what reading threw. */
async function readHead(stream: ByteStream, maxBytes: number) {
  const source = stream[Symbol.asyncIterator]()
  const pieces: Uint8Array[] = []
  let sizeBytes = 0
  let next: IteratorResult<Uint8Array> | undefined
  let failure: { error: unknown } | undefined
  while (sizeBytes <= maxBytes && failure === undefined && next?.done !== true) {
    try {
      next = await source.next()
      if (!next.done) pieces.push(next.value)
      sizeBytes += next.value?.length ?? 0
    } catch (error) {
      failure = { error }
    }
  }
  const head = Buffer.concat(pieces)
  return { head, isWhole: next?.done === true, rest: joined(head, source, failure) }
}

async function* joined(
  head: Uint8Array,
  source: AsyncIterator<Uint8Array>,
  failure: { error: unknown } | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield head
    if (failure !== undefined) throw failure.error
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value
  } finally {
    await source.return?.()
  }
}
