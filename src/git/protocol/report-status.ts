/** What became of a push (gitprotocol-pack, "Report Status"), for versions 1 and 2 of the report alike. */
import type { PushReport } from '../host.ts'
import { dataPacket, flushPacket, payloadMaxBytes } from './pkt-line.ts'

/** Writes the `unpack` line, one line per ref, and the flush. Reasons keep to one line. */
export function writeReport({ unpack, results }: PushReport): Buffer {
  const lines = results.map(({ name, reason }) =>
    reason === undefined ? `ok ${name}` : `ng ${name} ${asBytes(reason)}`,
  )
  return Buffer.concat([...[`unpack ${asBytes(unpack)}`, ...lines].map(linePacket), flushPacket])
}

function linePacket(line: string): Buffer {
  return dataPacket(`${line.slice(0, payloadMaxBytes - 1)}\n`)
}

/** Text as UTF-8 in latin1 characters, which is how packets are written. */
function asBytes(text: string): string {
  return Buffer.from(text.replace(/\s*\n\s*/g, ' ')).toString('latin1')
}
