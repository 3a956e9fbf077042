/** The sections of version 2's answer to `fetch` (gitprotocol-v2), plain or, with `sideband-all`, in band 1. */
import type { FetchRequest } from './fetch-request.ts'
import { dataPacket, delimPacket } from './pkt-line.ts'
import { bandPackets, dataBand, largeSideBand } from './side-band.ts'

const linesPerChunk = 1_000

export class SectionWriter {
  readonly #isMultiplexed: boolean

  constructor({ isSidebandAll }: Pick<FetchRequest, 'isSidebandAll'>) {
    this.#isMultiplexed = isSidebandAll
  }

  /** A section and the delimiter behind it; nothing where it has no lines. The last one is ended by a flush instead. */
  *write(name: string, lines: readonly string[], { isLast = false } = {}): Iterable<Buffer> {
    if (lines.length === 0) return
    yield this.begin(name)
    for (let at = 0; at < lines.length; at += linesPerChunk) {
      yield Buffer.concat(lines.slice(at, at + linesPerChunk).map((line) => this.#line(line)))
    }
    if (!isLast) yield delimPacket
  }

  /** The line that opens a section. */
  begin(name: string): Buffer {
    return this.#line(`${name}\n`)
  }

  #line(line: string): Buffer {
    const bytes = Buffer.from(line, 'latin1')
    return this.#isMultiplexed ? bandPackets(dataBand, bytes, largeSideBand) : dataPacket(bytes)
  }
}
