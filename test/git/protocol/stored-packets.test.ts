/** Stored bytes in packets: the same bytes in every band, no faster than they are taken, and no read left under way. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { PacketReader } from '../../../src/git/protocol/pkt-line.ts'
import { largeSideBand, smallSideBand } from '../../../src/git/protocol/side-band.ts'
import { storedPackets } from '../../../src/git/protocol/stored-packets.ts'
import type { ClonePack } from '../../../src/git/repository.ts'

const content = Buffer.alloc(1_800_000)
for (let at = 0; at < content.length; at++) content[at] = (at * 7) & 255

function openPack(readNow: () => Promise<void> = async () => {}) {
  const count = { begun: 0, underWay: 0 }
  const read = async (views: readonly Uint8Array[], position: number) => {
    count.begun++
    count.underWay++
    await readNow()
    let at = position
    for (const view of views) at += content.copy(view, 0, at, at + view.length)
    count.underWay--
  }
  return { pack: { read } as ClonePack, count }
}

for (const sideBand of [largeSideBand, smallSideBand]) {
  t.test(`packets of ${sideBand}`, async (t) => {
    const { pack } = openPack()
    const hash = createHash('sha1')
    const reader = new PacketReader(storedPackets({ pack, start: 12, end: 1_700_001, hash }, sideBand), 2 ** 30)
    const payloads: Buffer[] = []
    for (let packet = await reader.read(); Buffer.isBuffer(packet); packet = await reader.read()) {
      if (packet[0] !== 1 || packet.length - 1 > sideBand) t.fail(`a packet of ${packet.length} in band ${packet[0]}`)
      payloads.push(Buffer.from(packet.subarray(1)))
    }
    const expected = content.subarray(12, 1_700_001)
    t.ok(Buffer.concat(payloads).equals(expected))
    t.equal(payloads.length, Math.ceil(expected.length / sideBand), 'every packet but the last is full')
    t.equal(hash.digest('hex'), createHash('sha1').update(expected).digest('hex'))
  })
}

t.test('plain bytes, and none at all', async (t) => {
  const { pack } = openPack()
  const chunks: Buffer[] = []
  for await (const chunk of storedPackets({ pack, start: 0, end: content.length }, undefined)) {
    chunks.push(Buffer.from(chunk))
  }
  t.ok(Buffer.concat(chunks).equals(content))
  for await (const _ of storedPackets({ pack, start: 12, end: 12 }, largeSideBand)) t.fail('nothing was asked for')
})

t.test('a piece stays as it is until three more were taken', async (t) => {
  const { pack } = openPack()
  const stream = storedPackets({ pack, start: 0, end: content.length }, undefined)
  const pieces: Buffer[] = []
  const copies: Buffer[] = []
  for await (const piece of stream) {
    pieces.push(piece)
    copies.push(Buffer.from(piece))
    for (const [at, held] of pieces.entries()) {
      if (at >= pieces.length - 3 && !held.equals(copies[at])) t.fail(`piece ${at} at ${pieces.length}`)
    }
  }
  t.equal(new Set(pieces.map(({ buffer }) => buffer)).size, 4, 'and memory is flat')
})

t.test('one piece is read ahead of who takes them, and a read ends before the stream does', async (t) => {
  const gate = Promise.withResolvers<void>()
  let isHeld = false
  const { pack, count } = openPack(async () => {
    if (isHeld) await gate.promise
  })
  const stream = storedPackets({ pack, start: 0, end: content.length }, largeSideBand)
  isHeld = false
  await stream.next()
  t.equal(count.begun, 2)
  isHeld = true
  await stream.next()
  t.equal(count.begun, 3)
  t.equal(count.underWay, 1)
  let hasEnded = false
  const leaving = stream.return(undefined).then(() => {
    hasEnded = true
  })
  await new Promise(setImmediate)
  t.notOk(hasEnded, 'the pack may not be closed yet')
  gate.resolve()
  await leaving
  t.equal(count.underWay, 0)
})

t.test('a client that has gone, and a read that fails', async (t) => {
  const { pack } = openPack()
  const abort = new AbortController()
  const stream = storedPackets({ pack, start: 0, end: content.length, signal: abort.signal }, largeSideBand)
  await stream.next()
  abort.abort(new Error('gone'))
  await t.rejects(stream.next(), /gone/)
  const broken = { read: () => Promise.reject(new Error('the disk broke')) } as unknown as ClonePack
  await t.rejects(storedPackets({ pack: broken, start: 0, end: 100 }, undefined).next(), /broke/)
})
