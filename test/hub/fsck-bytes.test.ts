import t from 'tap'
import { readTail } from '../../src/hub/fsck-bytes.ts'

t.test('the tail is kept back, wherever the pieces end', async (t) => {
  const bytes = Buffer.from('abcdefghijklmnopqrstuvwxyz')
  for (let pieceBytes = 1; pieceBytes <= bytes.length; pieceBytes++) {
    const seen: Uint8Array[] = []
    const pieces = (async function* () {
      for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
    })()
    const { sizeBytes, tail } = await readTail(pieces, {
      tailBytes: 5,
      onBytes: (piece) => seen.push(Buffer.from(piece)),
    })
    t.equal(`${Buffer.concat(seen)}|${tail}|${sizeBytes}`, 'abcdefghijklmnopqrstu|vwxyz|26', `${pieceBytes}`)
  }
})

t.test('less than a tail is all tail', async (t) => {
  const short = (async function* () {
    yield Buffer.from('abc')
  })()
  const { sizeBytes, tail } = await readTail(short, { tailBytes: 5, onBytes: (piece) => t.equal(piece.length, 0) })
  t.equal(`${tail}|${sizeBytes}`, 'abc|3')
})
