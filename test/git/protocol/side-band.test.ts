import t from 'tap'
import { bandPackets, dataBand, inDataBand, smallSideBand } from '../../../src/git/protocol/side-band.ts'

t.test('payloads are cut to the size of the band', (t) => {
  const framed = bandPackets(dataBand, Buffer.alloc(2_000, 'x'), smallSideBand)
  t.equal(framed.length, 2_015)
  t.equal(framed.toString('latin1', 0, 5), '03e8\x01')
  t.equal(framed.toString('latin1', 2_000, 2_015), '000f\x01xxxxxxxxxx')
  t.equal(bandPackets(dataBand, '', smallSideBand).length, 0)
  t.end()
})

t.test('a stream ends in a flush, or stays as it is', async (t) => {
  async function* stream() {
    yield Buffer.from('ab')
  }
  const text = async (sideBand: number | undefined) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of inDataBand(stream(), sideBand)) chunks.push(chunk)
    return Buffer.concat(chunks).toString('latin1')
  }
  t.equal(await text(undefined), 'ab')
  t.equal(await text(smallSideBand), '0007\x01ab0000')
})
