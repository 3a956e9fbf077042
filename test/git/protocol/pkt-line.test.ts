import t from 'tap'
import {
  dataPacket,
  errorPacket,
  lineOf,
  type Packet,
  PacketReader,
  payloadMaxBytes,
} from '../../../src/git/protocol/pkt-line.ts'

async function* inPieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function readAll(reader: PacketReader): Promise<Packet[]> {
  const packets: Packet[] = []
  for (let packet = await reader.read(); packet !== undefined; packet = await reader.read()) packets.push(packet)
  return packets
}

t.test('packets come out whole, however the stream is cut', async (t) => {
  const long = Buffer.alloc(payloadMaxBytes, 'x')
  const bytes = Buffer.concat([dataPacket('one\n'), Buffer.from('0000'), dataPacket(long), Buffer.from('000100020004')])
  for (const size of [1, 3, 1000, bytes.length]) {
    const reader = new PacketReader(inPieces(bytes, size), 1e6)
    t.same(await readAll(reader), [Buffer.from('one\n'), 'flush', long, 'delim', 'response-end', Buffer.alloc(0)])
    t.ok(reader.ended)
  }
})

t.test('what follows the packets is handed on, and drained when it is left', async (t) => {
  const bytes = Buffer.from('0008line0000PACK and more')
  for (const size of [1, 5, 100]) {
    const reader = new PacketReader(inPieces(bytes, size), 100)
    t.same(await reader.read(), Buffer.from('line'))
    t.equal(await reader.read(), 'flush')
    const rest: Uint8Array[] = []
    for await (const chunk of reader.rest()) {
      rest.push(chunk)
      if (size === 1) break
    }
    if (size !== 1) t.equal(Buffer.concat(rest).toString(), 'PACK and more')
    await reader.drain(1_000)
    t.ok(reader.ended)
  }
})

t.test('draining stops at its bound', async (t) => {
  const reader = new PacketReader(inPieces(Buffer.alloc(1_000), 10), 100)
  await reader.drain(50)
  t.notOk(reader.ended)
})

t.test('truncated and malformed input', async (t) => {
  const read = (text: string, maxBytes = 1e6) => readAll(new PacketReader(inPieces(Buffer.from(text), 4), maxBytes))
  for (const text of ['0', '000', '0008', '0008abc']) await t.rejects(read(text), { code: 'InputTruncated' })
  for (const text of ['0003', 'fff1', 'xxxx', '-001', '0x10']) await t.rejects(read(text), { code: 'InputInvalid' })
  await t.rejects(read('0000'.repeat(10), 39), { code: 'InputTooLarge' })
  t.equal((await read('0000'.repeat(10), 40)).length, 10)
})

t.test('lines and errors', (t) => {
  t.equal(lineOf(Buffer.from('a\n')), 'a')
  t.equal(lineOf(Buffer.from('a')), 'a')
  t.equal(errorPacket('no').toString(), '000aERR no')
  t.equal(errorPacket('x'.repeat(100_000)).length, 65_520)
  t.throws(() => dataPacket(Buffer.alloc(payloadMaxBytes + 1)), RangeError)
  t.end()
})
