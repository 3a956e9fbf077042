/**
 * The port between the protocol and whoever hosts the repository. The protocol functions in `protocol/` parse and write
 * the wire; what exists, who may see it and how a ref moves is asked here. A host is opened for one caller and one
 * repository, after access has been decided.
 */
import type { HoldfastError } from '../errors.ts'
import type { ByteStream, ObjectId } from './object-id.ts'
import type { PackOrder } from './protocol/pack-order.ts'
import type { ClonePack, ObjectDatabase, RefCommand, RefResult, RefSnapshot } from './repository.ts'

/** What of the fetch protocol a host switches on. */
export interface FetchOffers {
  /** Partial clones. */
  filter: boolean
  /** Wants by a ref's name, in version 2. */
  refInWant: boolean
  /** The whole answer multiplexed, in version 2. */
  sidebandAll: boolean
  /** Named in versions 0 and 1: wants that are tips of hidden refs, and wants that refs lead to. `refusedWants` decides. */
  tipWants: boolean
  reachableWants: boolean
  /** By which the server is known in both sides' logs. */
  sessionId: string | undefined
  /** Clones by link, in version 2: bundle-uri and packfile-uris, from `cloneLinks`. */
  cloneLinks: boolean
}

/** What a client tells of itself. */
export interface ClientNotes {
  agent: string | undefined
  sessionId: string | undefined
  /** `git -o`: for the server to make of what it will. */
  serverOptions: readonly string[]
}

/** Makes packs in a worker thread. */
export interface PackSender {
  /** True where nothing but the indexes of these objects may be read here. */
  readonly isAlways: boolean
  /** The pack in the side-band, to the final flush. Throws what reading the objects throws. */
  send(order: PackOrder, signal: AbortSignal): ByteStream
}

/** Where a client downloads what a clone begins with. Undefined: nowhere. */
export interface CloneLinks {
  /** The clone pack itself. */
  pack(pack: ClonePack): Promise<string | undefined>
  /** A bundle of it. */
  bundle(pack: ClonePack): Promise<string | undefined>
}

export interface FetchHost {
  /** Absent: everything, without a session id. */
  readonly offers?: FetchOffers
  /** Asked only for who may see all that the clone pack holds. Absent where `offers` has none. */
  readonly cloneLinks?: CloneLinks
  /** Told before a request is answered. */
  noteClient?(notes: ClientNotes): void
  /** Where the repository's own history is cut off, so that clones of it are shallow. */
  readonly shallowIds?: readonly ObjectId[]
  /** HEAD and the refs that the caller may see, now. */
  refs(): Promise<RefSnapshot>
  /**
   * Opens the objects for reading and keeps them open while the stream is consumed or until it is left. Whatever
   * `refs()` named before this call is in them.
   */
  streamObjects(using: (objects: ObjectDatabase) => ByteStream): ByteStream
  /** Absent, or undefined: packs are made here. `objects` are those that `streamObjects` opened. */
  packSender?(objects: ObjectDatabase): PackSender | undefined
  /**
   * Which of `wants` the caller may not have: ids of any type that no visible ref leads to. Called for wants that are not
   * tips of `refs()`, for blobs of sparse patterns and for objects whose size is asked.
   */
  refusedWants(objects: ObjectDatabase, refs: RefSnapshot, wants: readonly ObjectId[]): Promise<ObjectId[]>
  /**
   * Which of `ids`, where a client says that its history ends, the caller may not know of. Absent: none, as git itself
   * holds it, which takes any such id whatever it allows as a want.
   */
  hiddenShallow?(objects: ObjectDatabase, refs: RefSnapshot, ids: readonly ObjectId[]): Promise<ObjectId[]>
  /**
   * Which of `ids`, which a client says it has, the caller may not know of: to acknowledge one would tell that it is here.
   * Absent: none.
   */
  hiddenHaves?(objects: ObjectDatabase, refs: RefSnapshot, ids: readonly ObjectId[]): Promise<ObjectId[]>
}

/** The certificate of a signed push, as it came. Whether its signature holds is for those to check who have the keys. */
export interface PushCertificate {
  /** All of it, signature included. */
  bytes: Buffer
  /** Who signed: the key's id, name and time as the client wrote them. */
  pusher: string | undefined
  /** The address that was pushed to, as the client knows it. */
  pushee: string | undefined
  nonce: string | undefined
}

/** What the client sent in `git-receive-pack`, parsed. */
export interface PushRequest {
  commands: readonly RefCommand[]
  atomic: boolean
  pushOptions: readonly string[]
  /** The commits at which the client's own history is cut off: a push from a shallow clone. */
  shallowIds?: readonly ObjectId[]
  certificate?: PushCertificate
  /** The pack's bytes; undefined when every command deletes. Must be consumed, or left with `return()`. */
  pack: ByteStream | undefined
  /** Lines for the person who pushes (side-band 2). */
  progress(text: string): void
  /** Fires when the client has gone: stop working, change nothing. */
  signal: AbortSignal
}

/** What the client reads as `unpack …` and `ok|ng …` (report-status). */
export interface PushReport {
  /** `ok`, or what was wrong with the pack. Where it is not ok every ref is `ng`. */
  unpack: string
  /** The error that `unpack` tells of, for callers that are no Git client. */
  cause?: HoldfastError
  results: readonly RefResult[]
}

/** What of the push protocol a host switches on. */
export interface PushOffers {
  atomic: boolean
  pushOptions: boolean
}

export interface PushHost {
  /** Absent: everything. */
  readonly pushOffers?: PushOffers
  /** The nonce that signed pushes are to contain; without it they are not offered. */
  pushNonce?(): string
  /** Takes the pack, checks everything, moves the refs in one transaction. Rejects only for defects and cancellation. */
  push(request: PushRequest): Promise<PushReport>
}
