import { createHash } from 'node:crypto'
import t from 'tap'
import { verifyBytes } from '../../src/bucket/verifying.ts'
import { chunksOf, readAll } from '../contract/bucket.ts'

const bytes = Buffer.from('0123456789')
const sha256 = createHash('sha256').update(bytes).digest('hex')

t.test('the announced bytes pass', async (t) => {
  t.ok((await readAll(verifyBytes(chunksOf(bytes, 3), { sizeBytes: 10, sha256 }))).equals(bytes))
  const empty = createHash('sha256').digest('hex')
  t.equal((await readAll(verifyBytes(chunksOf(Buffer.alloc(0), 1), { sizeBytes: 0, sha256: empty }))).length, 0)
})

t.test('others do not', async (t) => {
  const expected = { sizeBytes: 10, sha256 }
  await t.rejects(readAll(verifyBytes(chunksOf(bytes.subarray(1), 3), expected)), { code: 'BytesMismatch' })
  await t.rejects(readAll(verifyBytes(chunksOf(Buffer.from('0123456780'), 3), expected)), { code: 'BytesMismatch' })
})

t.test('too many bytes are refused as they come, and the source is left', async (t) => {
  let given = 0
  let isLeft = false
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        given += 4
        yield Buffer.from('abcd')
      }
    } finally {
      isLeft = true
    }
  }
  await t.rejects(readAll(verifyBytes(endless(), { sizeBytes: 10, sha256 })), { code: 'BytesMismatch' })
  t.equal(given, 12)
  t.ok(isLeft)
})
