import t from 'tap'
import { isKnownHash, readBatchObject } from '../../src/lfs/batch.ts'

const oid = 'a'.repeat(64)

t.test('an object that makes sense is read', async (t) => {
  t.same(readBatchObject({ oid, size: 0 }), { lfsOid: oid, sizeBytes: 0 })
  t.same(readBatchObject({ oid, size: Number.MAX_SAFE_INTEGER }), { lfsOid: oid, sizeBytes: Number.MAX_SAFE_INTEGER })
})

t.test('one that makes none is answered alone, with 422', async (t) => {
  const entries = [
    { oid: 'a'.repeat(63), size: 1 },
    { oid: 'a'.repeat(65), size: 1 },
    { oid: 'A'.repeat(64), size: 1 },
    { oid: `../${'a'.repeat(61)}`, size: 1 },
    { oid: 7, size: 1 },
    { size: 1 },
    { oid, size: -1 },
    { oid, size: 1.5 },
    { oid, size: '1' },
    { oid, size: 2 ** 53 },
    { oid },
  ]
  for (const entry of entries) {
    const answer = readBatchObject(entry)
    t.match(answer, { oid: String, size: Number, error: { code: 422, message: String } }, JSON.stringify(entry))
  }
})

t.test('hashes', async (t) => {
  for (const name of [undefined, null, 'sha256', 'sha_256']) t.ok(isKnownHash(name))
  for (const name of ['sha512', '', 'SHA256']) t.notOk(isKnownHash(name))
})
