/** What this server offers (gitprotocol-capabilities, gitprotocol-v2), and what a client asked for. */
import packageJson from '../../../package.json' with { type: 'json' }
import { HoldfastError } from '../../errors.ts'
import type { FetchOffers, PushOffers } from '../host.ts'

export type GitService = 'git-upload-pack' | 'git-receive-pack'
export type ProtocolVersion = 0 | 1 | 2

const agent = `agent=holdfast/${packageJson.version}`
const objectFormat = 'object-format=sha1'

/** What a host offers that does not say otherwise: all that needs nothing from it. */
export const allOffers: FetchOffers = {
  filter: true,
  refInWant: true,
  sidebandAll: true,
  tipWants: true,
  reachableWants: true,
  sessionId: undefined,
  cloneLinks: false,
}

/** The same for pushes. */
export const allPushOffers: PushOffers = { atomic: true, pushOptions: true }

/** What upload-pack offers in versions 0 and 1. */
export function uploadPackCapabilities(offers: FetchOffers): string[] {
  return [
    'multi_ack',
    'thin-pack',
    'side-band',
    'side-band-64k',
    'ofs-delta',
    'shallow',
    'deepen-since',
    'deepen-not',
    'deepen-relative',
    'no-progress',
    'include-tag',
    'multi_ack_detailed',
    ...(offers.tipWants ? ['allow-tip-sha1-in-want'] : []),
    ...(offers.reachableWants ? ['allow-reachable-sha1-in-want'] : []),
    'no-done',
    ...(offers.filter ? ['filter'] : []),
    ...sessionOf(offers),
    objectFormat,
    agent,
  ]
}

/** What receive-pack offers, which knows versions 0 and 1 only. */
export function receivePackCapabilities(offers: PushOffers): string[] {
  return [
    'report-status',
    'report-status-v2',
    'delete-refs',
    'side-band-64k',
    'quiet',
    ...(offers.atomic ? ['atomic'] : []),
    'ofs-delta',
    ...(offers.pushOptions ? ['push-options'] : []),
    objectFormat,
    agent,
  ]
}

/** The lines of the version 2 advertisement: commands with their features, and server-wide capabilities. */
export function version2Capabilities(offers: FetchOffers): string[] {
  const features = [
    'shallow',
    'wait-for-done',
    ...(offers.filter ? ['filter'] : []),
    ...(offers.refInWant ? ['ref-in-want'] : []),
    ...(offers.sidebandAll ? ['sideband-all'] : []),
    ...(offers.cloneLinks ? ['packfile-uris'] : []),
  ]
  const fetch = `fetch=${features.join(' ')}`
  const bundles = offers.cloneLinks ? ['bundle-uri'] : []
  return [
    agent,
    'ls-refs=unborn',
    fetch,
    'server-option',
    objectFormat,
    ...sessionOf(offers),
    'object-info',
    ...bundles,
  ]
}

function sessionOf({ sessionId }: FetchOffers): string[] {
  return sessionId === undefined ? [] : [`session-id=${sessionId}`]
}

/** What the client asked for: names with their values (the empty string for a capability without one). */
export type Capabilities = ReadonlyMap<string, string>

/** Parses a list of capabilities parted by spaces. Throws InputInvalid for an object format that is not sha1. */
export function parseCapabilities(list: string): Capabilities {
  const capabilities = new Map<string, string>()
  for (const word of list.split(' ')) {
    if (word !== '') addCapability(capabilities, word)
  }
  return capabilities
}

/** Adds one capability, `name` or `name=value`. Throws InputInvalid for an object format that is not sha1. */
export function addCapability(capabilities: Map<string, string>, word: string): void {
  const split = word.indexOf('=')
  const name = split < 0 ? word : word.slice(0, split)
  const value = split < 0 ? '' : word.slice(split + 1)
  if (name === 'object-format' && value !== 'sha1') {
    throw new HoldfastError('InputInvalid', { message: `This server keeps sha1 repositories; ${value} was asked for.` })
  }
  capabilities.set(name, value)
}
