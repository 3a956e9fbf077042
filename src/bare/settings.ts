/** What a repository's configuration says about serving it: git's keys and git's defaults (git-config). */
import { HoldfastError } from '../errors.ts'
import type { GitConfig } from './config.ts'
import { parseBoolean } from './config.ts'
import { hiddenBy, type IsHidden } from './hidden-refs.ts'

/** What is done about a push to what somebody has checked out. `unset` refuses, with an explanation. */
export type DenyAction = 'ignore' | 'warn' | 'refuse' | 'updateInstead' | 'unset'

export interface FetchSettings {
  isHidden: IsHidden
  allowFilter: boolean
  allowTip: boolean
  allowReachable: boolean
  allowAny: boolean
  allowRefInWant: boolean
  allowSidebandAll: boolean
}

export interface ReceiveSettings {
  isHidden: IsHidden
  denyDeletes: boolean
  denyNonFastForwards: boolean
  denyCurrentBranch: DenyAction
  denyDeleteCurrent: DenyAction
  fsckObjects: boolean
  /** Severities by message id, as they are written, and a file of ids that are taken whatever is wrong. */
  fsckSeverities: Readonly<Record<string, string>>
  fsckSkipList: string | undefined
  /** Undefined: any size. */
  maxInputBytes: number | undefined
  advertiseAtomic: boolean
  advertisePushOptions: boolean
  /** Packs of fewer objects become loose objects. */
  unpackLimit: number
  shallowUpdate: boolean
  certNonceSeed: string | undefined
  certNonceSlopSeconds: number
}

export interface RefSettings {
  /** `always` keeps a log of every ref, `true` of branches, remote branches, notes and HEAD. */
  logAllRefUpdates: boolean | 'always'
  /** How long to wait for another's lock. Negative: for ever. */
  refLockTimeoutMs: number
  packedRefsTimeoutMs: number
  userName: string | undefined
  userEmail: string | undefined
}

export interface BareSettings {
  isBare: boolean
  hooksPath: string | undefined
  fetch: FetchSettings
  receive: ReceiveSettings
  refs: RefSettings
  /** Undefined where the configuration says nothing. */
  http: { uploadPack: boolean | undefined; receivePack: boolean | undefined }
}

const defaultUnpackLimit = 100

/** Throws InputInvalid for a value that cannot be understood. */
export function readSettings(config: GitConfig): BareSettings {
  const isBare = config.boolean('core.bare') ?? false
  return {
    isBare,
    hooksPath: config.path('core.hookspath'),
    fetch: readFetchSettings(config),
    receive: readReceiveSettings(config),
    refs: readRefSettings(config, isBare),
    http: { uploadPack: config.boolean('http.uploadpack'), receivePack: config.boolean('http.receivepack') },
  }
}

function readFetchSettings(config: GitConfig): FetchSettings {
  const is = (name: string) => config.boolean(`uploadpack.${name}`) ?? false
  const allowAny = is('allowanysha1inwant')
  return {
    isHidden: hiddenIn(config, 'uploadpack'),
    allowFilter: is('allowfilter'),
    allowTip: is('allowtipsha1inwant') || allowAny,
    allowReachable: is('allowreachablesha1inwant') || allowAny,
    allowAny,
    allowRefInWant: is('allowrefinwant'),
    allowSidebandAll: is('allowsidebandall'),
  }
}

function readReceiveSettings(config: GitConfig): ReceiveSettings {
  const is = (name: string) => config.boolean(`receive.${name}`)
  const maxInputBytes = config.integer('receive.maxinputsize') ?? 0
  const limit = config.integer('receive.unpacklimit') ?? -1
  const transferLimit = config.integer('transfer.unpacklimit') ?? -1
  return {
    isHidden: hiddenIn(config, 'receive'),
    denyDeletes: is('denydeletes') ?? false,
    denyNonFastForwards: is('denynonfastforwards') ?? false,
    denyCurrentBranch: readDenyAction(config, 'receive.denycurrentbranch'),
    denyDeleteCurrent: readDenyAction(config, 'receive.denydeletecurrent'),
    fsckSeverities: config.below('receive.fsck.', ['skiplist']),
    fsckSkipList: config.path('receive.fsck.skiplist'),
    fsckObjects: is('fsckobjects') ?? config.boolean('transfer.fsckobjects') ?? false,
    maxInputBytes: maxInputBytes > 0 ? maxInputBytes : undefined,
    advertiseAtomic: is('advertiseatomic') ?? true,
    advertisePushOptions: is('advertisepushoptions') ?? false,
    unpackLimit: limit >= 0 ? limit : transferLimit >= 0 ? transferLimit : defaultUnpackLimit,
    shallowUpdate: is('shallowupdate') ?? false,
    certNonceSeed: config.text('receive.certnonceseed'),
    certNonceSlopSeconds: config.integer('receive.certnonceslop') ?? 0,
  }
}

function readRefSettings(config: GitConfig, isBare: boolean): RefSettings {
  const log = config.all('core.logallrefupdates').at(-1)
  return {
    logAllRefUpdates: log?.toLowerCase() === 'always' ? 'always' : (config.boolean('core.logallrefupdates') ?? !isBare),
    refLockTimeoutMs: config.integer('core.filesreflocktimeout') ?? 100,
    packedRefsTimeoutMs: config.integer('core.packedrefstimeout') ?? 1000,
    userName: config.text('user.name'),
    userEmail: config.text('user.email'),
  }
}

function readDenyAction(config: GitConfig, key: string): DenyAction {
  const values = config.all(key)
  if (values.length === 0) return 'unset'
  const value = values.at(-1)
  switch (value?.toLowerCase()) {
    case 'ignore':
    case 'warn':
    case 'refuse':
      return value.toLowerCase() as DenyAction
    case 'updateinstead':
      return 'updateInstead'
  }
  const isDenied = value === undefined ? true : parseBoolean(value)
  if (isDenied !== undefined) return isDenied ? 'refuse' : 'ignore'
  throw new HoldfastError('InputInvalid', { message: `bad boolean config value '${value}' for '${key}'` })
}

/** `transfer.hideRefs` and the service's own, in the order in which they stand: the last that fits decides. */
function hiddenIn(config: GitConfig, section: 'uploadpack' | 'receive'): IsHidden {
  return hiddenBy(config.inOrder(['transfer.hiderefs', `${section}.hiderefs`]))
}
