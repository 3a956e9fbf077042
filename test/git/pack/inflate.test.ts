import { randomBytes } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import t from 'tap'
import { Inflater, inflateRoomBytes } from '../../../src/git/pack/inflate.ts'

t.test('whole objects, one after another, with and without a byte to spare', async (t) => {
  const inflater = new Inflater()
  for (const content of [Buffer.alloc(0), Buffer.from('hello'), randomBytes(100_000), Buffer.alloc(1_000_000)]) {
    const deflated = deflateSync(content)
    const input = Buffer.concat([Buffer.from('xx'), deflated, Buffer.from('following')])
    for (const spare of [0, 1, 9, inflateRoomBytes, 1000]) {
      const output = Buffer.alloc(3 + content.length + spare)
      t.equal(inflater.inflateInto(input, 2, input.length - 2, output, 3, content.length), deflated.length)
      t.ok(output.subarray(3, 3 + content.length).equals(content))
      for (const wrong of [content.length - 1, content.length + 1]) {
        if (wrong < 0) continue
        const room = Buffer.alloc(wrong + spare)
        t.throws(() => inflater.inflateInto(input, 2, deflated.length, room, 0, wrong), { code: 'PackInvalid' })
      }
      for (const cut of [1, 4, deflated.length]) {
        const inflate = () => inflater.inflateInto(input, 2, deflated.length - cut, output, 3, content.length)
        t.throws(inflate, { code: 'PackInvalid' })
      }
    }
  }
  t.throws(() => inflater.inflateInto(Buffer.from('junk'), 0, 4, Buffer.alloc(9), 0, 8), { code: 'PackInvalid' })
})

t.test('a stream in pieces ends where it ends', async (t) => {
  const content = randomBytes(200_000)
  const deflated = deflateSync(content)
  const input = Buffer.concat([deflated, Buffer.from('PACK')])
  for (const pieceBytes of [1, 1000, 65_536, input.length]) {
    const inflater = new Inflater()
    inflater.start()
    const made: Buffer[] = []
    let used = 0
    while (!inflater.isEnded) {
      const output = Buffer.alloc(4096)
      inflater.feed(input, used, Math.min(pieceBytes, input.length - used), output, 0, output.length)
      used += inflater.consumedBytes
      made.push(output.subarray(0, inflater.producedBytes))
    }
    t.equal(used, deflated.length)
    t.ok(Buffer.concat(made).equals(content))
    inflater.close()
  }
})
