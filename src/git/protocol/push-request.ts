/** What a client sends in git-receive-pack before the pack: commands, capabilities, push options (gitprotocol-pack). */
import type { Limits } from '../../config.ts'
import { HoldfastError } from '../../errors.ts'
import type { PushCertificate } from '../host.ts'
import { nullId, type ObjectId, parseObjectId } from '../object-id.ts'
import { isDeletableRefName, isPushableRefName } from '../ref-name.ts'
import type { RefCommand, RefResult } from '../repository.ts'
import { parseCapabilities } from './capabilities.ts'
import { lineOf, type PacketReader } from './pkt-line.ts'
import { type ParsedCertificate, readCertificate } from './push-certificate.ts'
import type { ReportVersion } from './report-status.ts'
import { largeSideBand, type SideBand } from './side-band.ts'

export interface PushHead {
  commands: RefCommand[]
  pushOptions: string[]
  /** Where the client's history ends: it pushes from a shallow clone. */
  shallowIds: ObjectId[]
  certificate: PushCertificate | undefined
  /** The certificate names the push options that came beside it. */
  isConsistent: boolean
  atomic: boolean
  /** The report that the client reads of what became of its commands; undefined: none. */
  reportVersion: ReportVersion | undefined
  isQuiet: boolean
  sideBand: SideBand
}

export type PushLimits = Pick<
  Limits,
  'gitCommandsMax' | 'gitShallowMax' | 'gitPushOptionsMax' | 'gitPushOptionMaxBytes' | 'gitRefNameMaxBytes'
>

/** What is known before the first command: a client that reads nothing back. */
export function emptyPushHead(): PushHead {
  return {
    commands: [],
    pushOptions: [],
    shallowIds: [],
    certificate: undefined,
    isConsistent: true,
    atomic: false,
    reportVersion: undefined,
    isQuiet: false,
    sideBand: undefined,
  }
}

/**
 * Fills `head`, which also after an error tells how the client is answered. What follows in the stream is the pack.
 * Throws InputInvalid, InputTruncated, InputTooLarge.
 */
export async function parsePushHead(packets: PacketReader, limits: PushLimits, head: PushHead): Promise<void> {
  let hasOptions = false
  let signed: ParsedCertificate | undefined
  let packet = await packets.read()
  for (; packet instanceof Buffer; packet = await packets.read()) {
    const line = lineOf(packet)
    const split = line.indexOf('\0')
    if (split >= 0) hasOptions = applyCapabilities(head, line.slice(split + 1))
    const command = split < 0 ? line : line.slice(0, split)
    if (command === 'push-cert') signed = await readCertificate(packets)
    else if (command.startsWith('shallow ')) addShallowLine(head, command, limits)
    else addCommandLine(head, command, limits)
  }
  if (signed !== undefined) takeCertificate(head, signed, limits)
  if (head.commands.length > 0 && packet !== 'flush') throw new HoldfastError('InputTruncated')
  if (hasOptions) await parsePushOptions(packets, limits, head.pushOptions)
  head.isConsistent = signed === undefined || isSameList(signed.pushOptions, head.pushOptions)
}

/** The commands whose names cannot stand: malformed ones, and those named twice. */
export function refuseNames(commands: readonly RefCommand[], limits: PushLimits): RefResult[] {
  const counts = new Map<string, number>()
  for (const { name } of commands) counts.set(name, (counts.get(name) ?? 0) + 1)
  const refused: RefResult[] = []
  for (const [name, count] of counts) {
    if (count > 1) refused.push({ name, reason: 'multiple updates for ref not allowed' })
  }
  for (const { name, newId } of commands) {
    const isWellFormed = newId === undefined ? isDeletableRefName(name) : isPushableRefName(name)
    if (counts.get(name) === 1 && (!isWellFormed || name.length > limits.gitRefNameMaxBytes)) {
      refused.push({ name, reason: 'funny refname' })
    }
  }
  return refused
}

function applyCapabilities(head: PushHead, list: string): boolean {
  // First of all: the list itself may have to be refused, and a client with a side-band reads it there.
  if (list.split(' ').includes('side-band-64k')) head.sideBand = largeSideBand
  const asked = parseCapabilities(list)
  if (asked.has('report-status')) head.reportVersion = 1
  if (asked.has('report-status-v2')) head.reportVersion = 2
  head.atomic = asked.has('atomic')
  head.isQuiet = asked.has('quiet')
  return asked.has('push-options')
}

/** A signed push has its commands in the certificate, and nowhere else. */
function takeCertificate(head: PushHead, { certificate, commandLines }: ParsedCertificate, limits: PushLimits): void {
  if (head.commands.length > 0) {
    throw new HoldfastError('InputInvalid', {
      message: 'protocol error: got both push certificate and unsigned commands',
    })
  }
  for (const line of commandLines) addCommandLine(head, line, limits)
  head.certificate = certificate
}

function addShallowLine(head: PushHead, line: string, limits: PushLimits): void {
  const id = parseObjectId(line.slice('shallow '.length))
  if (id === undefined) {
    throw new HoldfastError('InputInvalid', {
      message: `protocol error: expected shallow sha, got '${line.slice(0, 80)}'`,
    })
  }
  if (head.shallowIds.length >= limits.gitShallowMax) {
    throw new HoldfastError('InputTooLarge', { message: `More than ${limits.gitShallowMax} shallow commits.` })
  }
  head.shallowIds.push(id)
}

function addCommandLine(head: PushHead, line: string, limits: PushLimits): void {
  const [, oldText, newText, name] = /^([0-9a-f]{40}) ([0-9a-f]{40}) (.+)$/s.exec(line) ?? []
  if (name === undefined) {
    throw new HoldfastError('InputInvalid', {
      message: `protocol error: expected old/new/ref, got '${line.slice(0, 80)}'`,
    })
  }
  if (head.commands.length >= limits.gitCommandsMax) {
    throw new HoldfastError('InputTooLarge', { message: `More than ${limits.gitCommandsMax} refs in one push.` })
  }
  head.commands.push({ name, oldId: commandId(oldText), newId: commandId(newText) })
}

function commandId(text: string): ObjectId | undefined {
  return text === nullId ? undefined : parseObjectId(text)
}

async function parsePushOptions(packets: PacketReader, limits: PushLimits, options: string[]): Promise<void> {
  let packet = await packets.read()
  for (; packet instanceof Buffer; packet = await packets.read()) {
    if (options.length >= limits.gitPushOptionsMax) {
      throw new HoldfastError('InputTooLarge', { message: `More than ${limits.gitPushOptionsMax} push options.` })
    }
    const option = packet.toString('utf8').replace(/\n$/, '')
    if (packet.length > limits.gitPushOptionMaxBytes) {
      const start = option.slice(0, 40)
      throw new HoldfastError('InputTooLarge', {
        message: `The push option '${start}…' is longer than ${limits.gitPushOptionMaxBytes} bytes.`,
      })
    }
    if (option.includes('\0')) throw new HoldfastError('InputInvalid', { message: 'A push option holds a NUL.' })
    options.push(option)
  }
  if (packet !== 'flush') throw new HoldfastError('InputTruncated')
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((entry, index) => entry === b[index])
}
