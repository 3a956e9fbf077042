/**
 * The certificate of a signed push (gitprotocol-pack, "Push Certificate"): headers, an empty line, the commands, and a
 * signature over all of that. What the signature is worth is not asked here: there are no keys to check it against.
 */
import { HoldfastError } from '../../errors.ts'
import type { PushCertificate } from '../host.ts'
import { lineOf, type PacketReader } from './pkt-line.ts'

/** A parsed certificate, with what it repeats of the push itself. */
export interface ParsedCertificate {
  certificate: PushCertificate
  /** `old new name`, as in a push without a certificate. */
  commandLines: string[]
  pushOptions: string[]
}

const endLine = 'push-cert-end'
const signatureStart = /^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SIGNED MESSAGE|SSH SIGNATURE)-----/m

/** Reads the packets behind `push-cert` up to `push-cert-end`. Throws InputInvalid, InputTruncated. */
export async function readCertificate(packets: PacketReader): Promise<ParsedCertificate> {
  const pieces: Buffer[] = []
  let packet = await packets.read()
  for (; packet instanceof Buffer && lineOf(packet) !== endLine; packet = await packets.read()) pieces.push(packet)
  if (packet === undefined) throw new HoldfastError('InputTruncated')
  if (!(packet instanceof Buffer)) throw invalid('got an unexpected packet in the push certificate')
  return parseCertificate(Buffer.concat(pieces))
}

/** Throws InputInvalid for bytes that are no certificate. */
export function parseCertificate(bytes: Buffer): ParsedCertificate {
  const text = bytes.toString('latin1')
  const headEnd = text.indexOf('\n\n')
  if (headEnd < 0 || text.includes('\0')) throw invalid('malformed push certificate')
  const headers = text.slice(0, headEnd).split('\n')
  const valuesOf = (name: string) =>
    headers.filter((line) => line.startsWith(`${name} `)).map((line) => decode(line.slice(name.length + 1)))
  const body = text.slice(headEnd + 2)
  const bodyEnd = body.search(signatureStart)
  if (bodyEnd < 0) throw invalid('the push certificate is not signed')
  const commandLines = body.slice(0, bodyEnd).split('\n')
  if (commandLines.pop() !== '') throw invalid('malformed push certificate')
  const [[pusher], [pushee], [nonce]] = ['pusher', 'pushee', 'nonce'].map(valuesOf)
  return { certificate: { bytes, pusher, pushee, nonce }, commandLines, pushOptions: valuesOf('push-option') }
}

function decode(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

function invalid(what: string): HoldfastError {
  return new HoldfastError('InputInvalid', { message: `protocol error: ${what}` })
}
