/** What stands before the arguments of a request in version 2: the command and what the client tells of itself. */
import { HoldfastError } from '../../errors.ts'
import type { Limits } from '../../limits.ts'
import type { ClientNotes } from '../host.ts'
import { addCapability, type Capabilities } from './capabilities.ts'
import { lineOf, type PacketReader } from './pkt-line.ts'

export const commands = ['ls-refs', 'fetch', 'object-info', 'bundle-uri'] as const

export interface CommandRequest {
  command: (typeof commands)[number]
  notes: ClientNotes
  hasArguments: boolean
}

const keys = ['agent', 'object-format', 'session-id']

/**
 * Reads command and capabilities, up to the delimiter or flush; undefined where the client has nothing more to ask. Throws
 * InputInvalid for what is not offered, InputTooLarge, InputTruncated.
 */
export async function parseCommand(
  packets: PacketReader,
  limits: Pick<Limits, 'gitServerOptionsMax'>,
): Promise<CommandRequest | undefined> {
  const capabilities = new Map<string, string>()
  const serverOptions: string[] = []
  let packet = await packets.read()
  if (packet === undefined || packet === 'flush') return undefined
  for (; packet instanceof Buffer; packet = await packets.read()) {
    const line = lineOf(packet)
    const [key] = line.split('=', 1)
    if (key === 'server-option') serverOptions.push(line.slice(key.length + 1))
    else if (key === 'command' || keys.includes(key)) add(capabilities, key, line)
    else throw invalid(`unknown capability '${line.slice(0, 80)}'`)
    if (serverOptions.length > limits.gitServerOptionsMax) throw new HoldfastError('InputTooLarge')
  }
  if (packet === undefined) throw new HoldfastError('InputTruncated')
  const asked = capabilities.get('command')
  if (asked === undefined) throw invalid('no command requested')
  const command = commands.find((known) => known === asked)
  if (command === undefined) throw invalid(`invalid command '${asked.slice(0, 80)}'`)
  return { command, notes: clientNotes(capabilities, serverOptions), hasArguments: packet === 'delim' }
}

/** What `capabilities` tell of the client. */
export function clientNotes(capabilities: Capabilities, serverOptions: readonly string[] = []): ClientNotes {
  return { agent: capabilities.get('agent'), sessionId: capabilities.get('session-id'), serverOptions }
}

function add(capabilities: Map<string, string>, key: string, line: string): void {
  const former = capabilities.get(key)
  if (key === 'command' && former !== undefined) {
    throw invalid(
      `command '${line.slice('command='.length, 80)}' requested after already requesting command '${former}'`,
    )
  }
  addCapability(capabilities, line)
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('InputInvalid', { message })
}
