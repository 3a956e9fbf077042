/** What became of a push (gitprotocol-pack, "Report Status"). Version 2 adds what was done where it was not as asked. */
import type { PushReport } from '../host.ts'
import type { RefResult } from '../repository.ts'
import { dataPacket, flushPacket, payloadMaxBytes } from './pkt-line.ts'

export type ReportVersion = 1 | 2

/** Writes the `unpack` line, the lines of each ref, and the flush. Reasons keep to one line. */
export function writeReport({ unpack, results }: PushReport, version: ReportVersion): Buffer {
  const lines = results.flatMap((result) => refLines(result, version))
  return Buffer.concat([...[`unpack ${asBytes(unpack)}`, ...lines].map(linePacket), flushPacket])
}

function refLines({ name, reason, done }: RefResult, version: ReportVersion): string[] {
  if (reason !== undefined) return [`ng ${name} ${asBytes(reason)}`]
  if (done === undefined || version === 1) return [`ok ${name}`]
  const options = [
    done.name && `refname ${done.name}`,
    done.oldId && `old-oid ${done.oldId}`,
    done.newId && `new-oid ${done.newId}`,
    done.isForced && 'forced-update',
  ]
  return [`ok ${name}`, ...options.filter((option) => option).map((option) => `option ${option}`)]
}

function linePacket(line: string): Buffer {
  return dataPacket(`${line.slice(0, payloadMaxBytes - 1)}\n`)
}

/** Text as UTF-8 in latin1 characters, which is how packets are written. */
function asBytes(text: string): string {
  return Buffer.from(text.replace(/\s*\n\s*/g, ' ')).toString('latin1')
}
