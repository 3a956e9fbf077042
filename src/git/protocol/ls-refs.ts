/** Version 2's `ls-refs` (gitprotocol-v2): the refs, those of some prefixes if the client names them. */
import type { Limits } from '../../config.ts'
import { HoldfastError } from '../../errors.ts'
import type { Ref, RefSnapshot } from '../repository.ts'
import { inChunks } from './advertise-refs.ts'
import { lineOf, type PacketReader } from './pkt-line.ts'

export interface LsRefsRequest {
  symrefs: boolean
  peel: boolean
  unborn: boolean
  /** Empty: every ref. */
  prefixes: readonly string[]
}

/** Parses the arguments of `ls-refs`, up to their flush. Throws InputInvalid, InputTruncated. */
export async function parseLsRefsArguments(
  packets: PacketReader,
  limits: Pick<Limits, 'gitRefPrefixesMax'>,
): Promise<LsRefsRequest> {
  const prefixes: string[] = []
  const flags = new Set<string>()
  let packet = await packets.read()
  for (; packet instanceof Buffer; packet = await packets.read()) {
    const line = lineOf(packet)
    if (line.startsWith('ref-prefix ')) prefixes.push(line.slice('ref-prefix '.length))
    else if (line === 'symrefs' || line === 'peel' || line === 'unborn') flags.add(line)
    else throw new HoldfastError('InputInvalid', { message: `unexpected line: '${line.slice(0, 80)}'` })
  }
  if (packet === undefined) throw new HoldfastError('InputTruncated')
  return {
    symrefs: flags.has('symrefs'),
    peel: flags.has('peel'),
    unborn: flags.has('unborn'),
    // Prefixes only spare bytes: too many of them are ignored, as git does.
    prefixes: prefixes.length > limits.gitRefPrefixesMax ? [] : prefixes,
  }
}

/** Writes the refs that `request` asks for, and the flush. */
export function writeLsRefsResponse(snapshot: RefSnapshot, request: LsRefsRequest): Iterable<Buffer> {
  return inChunks(refLines(snapshot, request))
}

function* refLines({ headTarget, headId, refs }: RefSnapshot, request: LsRefsRequest): Iterable<string> {
  const { prefixes, peel } = request
  const symref = request.symrefs && headTarget !== undefined ? ` symref-target:${headTarget}` : ''
  if (prefixes.length === 0 || prefixes.some((prefix) => 'HEAD'.startsWith(prefix))) {
    if (headId !== undefined) yield `${headId} HEAD${symref}\n`
    else if (request.unborn && symref !== '') yield `unborn HEAD${symref}\n`
  }
  for (const ref of prefixes.length === 0 ? refs : refs.withPrefixes(prefixes)) yield refLine(ref, peel)
}

function refLine({ id, name, peeledId }: Ref, peel: boolean): string {
  return peel && peeledId !== undefined ? `${id} ${name} peeled:${peeledId}\n` : `${id} ${name}\n`
}
