/**
 * Every limit on what comes from outside, by name. Apart from config.ts, whose schema takes 0.3 s to load: commands that
 * start for every clone and push need the numbers alone.
 */
const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB

/** Limits on what comes from outside (design law 5). Bytes, milliseconds, seconds and counts as the names say. */
export interface Limits {
  gitBlobMaxBytes: number
  gitPackMaxBytes: number
  gitPackMaxObjects: number
  gitObjectHeldMaxBytes: number
  gitDeltaDepthMax: number
  gitTagDepthMax: number
  gitPathMaxBytes: number
  gitPathDepthMax: number
  gitEntryNameMaxBytes: number
  gitCommandsMax: number
  gitShallowMax: number
  gitPushOptionsMax: number
  gitPushOptionMaxBytes: number
  pushNonceSlopSeconds: number
  gitRefNameMaxBytes: number
  refRulesMax: number
  gitWantsMax: number
  gitHavesMax: number
  gitRefPrefixesMax: number
  gitDepthMax: number
  gitFilterPartsMax: number
  gitFilterDepthMax: number
  gitSparsePatternsMaxBytes: number
  gitServerOptionsMax: number
  gitObjectInfoMax: number
  gitRequestInflatedMaxBytes: number
  receivedHereMaxBytes: number
  receiveMemoryMaxBytes: number
  lfsObjectMaxBytes: number
  lfsSinglePutMaxBytes: number
  lfsPartBytes: number
  lfsBatchMaxParts: number
  lfsBatchMaxObjects: number
  lfsLinkExpiresInSeconds: number
  lfsOfferKeptSeconds: number
  lfsLocksPageMax: number
  lfsPathMaxBytes: number
  jsonBodyMaxBytes: number
  commitBodyMaxBytes: number
  commitLineMaxBytes: number
  commitLinesMax: number
  commitMessageMaxBytes: number
  commitTriesMax: number
  preuploadFilesMax: number
  ruleFileMaxBytes: number
  commitAnswerKeptSeconds: number
  listPageMax: number
  listDetailedPageMax: number
  listFiltersMax: number
  metadataFileMaxBytes: number
  weightsHeaderMaxBytes: number
  weightFilesMax: number
  downloadsFlushMs: number
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
  expandedPageMax: number
  pathsInfoMax: number
  lastCommitsLookedAtMax: number
  listedCommitMaxBytes: number
  pushPointersMax: number
  unreadBodyMaxBytes: number
  httpHeadersTimeoutMs: number
  httpIdleTimeoutMs: number
  httpKeepAliveTimeoutMs: number
  requestsPerMinuteMax: number
  fetchesAtOnceMax: number
  fetchesPerUserMax: number
  fetchesPerAddressMax: number
  pushesAtOnceMax: number
  pushesPerUserMax: number
  pushesPerAddressMax: number
  transfersQueuedMax: number
  transfersQueuedPerCallerMax: number
  transferQueueTimeoutMs: number
  transferRateMinBytesPerSecond: number
  transferRateWindowMs: number
  doomedBytesGraceSeconds: number
  orphanBytesGraceSeconds: number
  compactionPacksMin: number
  inlinePackMaxBytes: number
  clonePackObjectsMin: number
  clonePackBytesMin: number
  packBlockBytes: number
  packBlocksHeldMaxBytes: number
  cloneLinkMinBytes: number
  cloneLinkExpiresInSeconds: number
}

/** What holds where no setting says otherwise. */
export const defaultLimits: Limits = {
  gitBlobMaxBytes: 10 * MiB,
  gitPackMaxBytes: 64 * GiB,
  lfsObjectMaxBytes: 1024 * GiB,
  lfsSinglePutMaxBytes: 5 * GiB,
  gitPackMaxObjects: 50_000_000,
  gitObjectHeldMaxBytes: 16 * MiB,
  gitDeltaDepthMax: 4_095,
  // Tags of tags of tags: each ref that names one is followed to its end, again and again.
  gitTagDepthMax: 32,
  gitPathMaxBytes: 4 * KiB,
  // Of what the API commits: each folder of a path is a tree to be read and written.
  gitPathDepthMax: 128,
  // git's own, from 2.44 on: most file systems take 255.
  gitEntryNameMaxBytes: 4 * KiB,
  gitCommandsMax: 100_000,
  gitShallowMax: 100_000,
  gitPushOptionsMax: 1_000,
  gitPushOptionMaxBytes: 4 * KiB,
  // Between the advertisement, when the nonce is made, and the push that signs it a person may be asked for a passphrase.
  pushNonceSlopSeconds: 600,
  gitRefNameMaxBytes: 1_024,
  // They lie in the repository's row, and every push asks them all.
  refRulesMax: 100,
  gitWantsMax: 600_000,
  gitHavesMax: 600_000,
  gitRefPrefixesMax: 65_536,
  gitDepthMax: 0x7fffffff,
  gitFilterPartsMax: 64,
  // Combined filters in combined filters: each level decodes all below it once more.
  gitFilterDepthMax: 8,
  // Every path is held against every pattern.
  gitSparsePatternsMaxBytes: 64 * KiB,
  gitServerOptionsMax: 1_000,
  gitObjectInfoMax: 100_000,
  gitRequestInflatedMaxBytes: 64 * MiB,
  // A pack up to this size is received on the event loop, in slices: a thread's turn would cost a small push more.
  receivedHereMaxBytes: 256 * KiB,
  // What all packs on their way in may hold in memory together; the next one waits.
  receiveMemoryMaxBytes: 2 * GiB,
  // Of the multipart transfer; larger where 10,000 of them would not do.
  lfsPartBytes: 64 * MiB,
  // Each has a link of some 500 bytes. 6 TiB in parts of 64 MiB.
  lfsBatchMaxParts: 100_000,
  lfsBatchMaxObjects: 10_000,
  lfsLinkExpiresInSeconds: 3_600,
  // Longer than the longest upload may take: its offer is what the finished upload is noted on.
  lfsOfferKeptSeconds: 14 * 86_400,
  lfsLocksPageMax: 1_000,
  lfsPathMaxBytes: 4 * KiB,
  jsonBodyMaxBytes: 8 * MiB,
  commitBodyMaxBytes: 8 * GiB,
  // A file of gitBlobMaxBytes in base64, and its path. Each line is held whole.
  commitLineMaxBytes: 16 * MiB,
  // Each file is an entry of a tree to be, in memory.
  commitLinesMax: 250_000,
  commitMessageMaxBytes: 64 * KiB,
  // Against commits through other servers; those of one server take turns.
  commitTriesMax: 20,
  // Clients send 256 at most.
  preuploadFilesMax: 1_000,
  // Every path is held against every pattern of a .gitattributes or .gitignore.
  ruleFileMaxBytes: 256 * KiB,
  // A client that lost its connection tries again within seconds, a person within minutes.
  commitAnswerKeptSeconds: 900,
  listPageMax: 1_000,
  // Cards and lists of files come along, each as long as somebody made it.
  listDetailedPageMax: 100,
  listFiltersMax: 50,
  // README.md and the configuration files that are read for what they say; longer ones say nothing.
  metadataFileMaxBytes: 4 * MiB,
  // Headers are as long as there are tensors; huggingface_hub reads no longer ones either.
  weightsHeaderMaxBytes: 25 * MiB,
  // The largest open models come in some 200 files.
  weightFilesMax: 1_000,
  downloadsFlushMs: 5_000,
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
  // With their last commits.
  expandedPageMax: 100,
  pathsInfoMax: 1_000,
  // A file that was not touched for so long is listed without its last commit.
  lastCommitsLookedAtMax: 50_000,
  // Messages may be as long as any object, and a page has a thousand of them.
  listedCommitMaxBytes: 16 * KiB,
  // Each is an oid and a blob's id in memory, and an element of the transaction's arrays.
  pushPointersMax: 1_000_000,
  unreadBodyMaxBytes: 64 * MiB,
  httpHeadersTimeoutMs: 30_000,
  // Silence in both directions. Longer than any pause of ours: side-band keep-alives come far more often.
  httpIdleTimeoutMs: 600_000,
  // Above the 60 s after which common balancers give up an idle connection, so that they close it first.
  httpKeepAliveTimeoutMs: 75_000,
  // Against a client gone wild, not against a busy one: some 1,600 a second.
  requestsPerMinuteMax: 100_000,
  // A fetch that is under way holds 12 bytes for each object of its repository, and open packs.
  fetchesAtOnceMax: 256,
  fetchesPerUserMax: 64,
  // A whole office, or a cluster of jobs, may stand behind one address.
  fetchesPerAddressMax: 128,
  pushesAtOnceMax: 64,
  pushesPerUserMax: 32,
  pushesPerAddressMax: 48,
  transfersQueuedMax: 1_000,
  transfersQueuedPerCallerMax: 250,
  // Less than the silence after which common proxies give up.
  transferQueueTimeoutMs: 30_000,
  transferRateMinBytesPerSecond: 2_048,
  // Long enough for 256 KiB at that rate: responses are seen to pass in such steps.
  transferRateWindowMs: 150_000,
  // Longer than the longest response may last: a reader may still hold a link or a catalogue row of these bytes.
  doomedBytesGraceSeconds: 86_400,
  orphanBytesGraceSeconds: 2 * 86_400,
  // As git's own gc.autoPackLimit. Small packs lie in memory, where a lookup asks fifty of them in microseconds.
  compactionPacksMin: 50,
  // Index included. A push that small costs no request to the bucket; compaction brings it there.
  inlinePackMaxBytes: 256 * KiB,
  // A smaller repository is walked in a few milliseconds, and its answers are cached.
  clonePackObjectsMin: 1_000,
  clonePackBytesMin: MiB,
  // Packs too large for the local disk are read in such blocks.
  packBlockBytes: MiB,
  packBlocksHeldMaxBytes: 64 * MiB,
  // Below it a link costs a client more than it spares the server.
  cloneLinkMinBytes: 10 * MiB,
  // Whoever held one sees for so long what was forced away meanwhile, or is private now.
  cloneLinkExpiresInSeconds: 300,
}
