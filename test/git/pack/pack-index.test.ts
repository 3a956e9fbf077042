import { execFileSync } from 'node:child_process'
import { hash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sortIds } from '../../../src/git/pack/id-order.ts'
import { writePackIndex } from '../../../src/git/pack/index-format.ts'
import { PackIndex } from '../../../src/git/pack/pack-index.ts'
import { gitEnvironment, temporaryFolder } from '../../support/git.ts'
import { blob, rawId, rawPack } from '../../support/raw-pack.ts'

const largest = 2 ** 53 - 1

function makeEntries(objectCount: number) {
  const ids = randomBytes(objectCount * 20)
  // Equal beginnings, so that the order is decided by the last byte as well.
  for (let entry = 0; entry < objectCount; entry += 3) ids.fill(7, entry * 20, entry * 20 + 19)
  for (let entry = 0; entry < objectCount; entry += 3) ids[entry * 20 + 19] = 255 - entry / 3
  const crcs = Uint32Array.from({ length: objectCount }, (_, entry) => entry * 0x1234567)
  const offsets = Float64Array.from({ length: objectCount }, (_, entry) => 12 + entry * 2 ** 26)
  offsets[objectCount - 1] = largest
  return { objectCount, ids, crcs, offsets }
}

t.test('what is written is read', async (t) => {
  const entries = makeEntries(300)
  const index = new PackIndex(writePackIndex(entries, Buffer.alloc(20, 9)))
  t.ok(index.packChecksum.equals(Buffer.alloc(20, 9)))
  for (let entry = 0; entry < entries.objectCount; entry++) {
    const position = index.find(entries.ids, entry * 20)
    t.equal(index.idAt(position), entries.ids.toString('hex', entry * 20, entry * 20 + 20))
    t.equal(index.crcAt(position), entries.crcs[entry])
    t.equal(index.offsetAt(position), entries.offsets[entry])
    t.equal(index.positionAtOffset(entries.offsets[entry]), position)
    t.equal(index.positionsByOffset()[entry], position)
    t.equal(index.endAt(position, largest), entries.offsets[entry + 1] ?? largest - 20)
  }
  t.equal(index.find(Buffer.alloc(20, 7)), -1)
  t.equal(index.positionAtOffset(13), -1)
  t.equal(index.idsWithPrefix('0707', 5).length, 5)
  t.equal(index.idsWithPrefix('0707', 500).filter((id) => id.startsWith('0707')).length, 100)
  const order = sortIds(entries)
  t.same(
    [...order].sort((a, b) => a - b),
    [...order.keys()],
    'a permutation',
  )
})

t.test('an index of git with 64-bit offsets is read', async (t) => {
  const folder = temporaryFolder(t)
  const contents = Array.from({ length: 40 }, (_, number) => `content ${number}`)
  writeFileSync(join(folder, 'a.pack'), rawPack(contents.map(blob)))
  const env = gitEnvironment()
  execFileSync('git', ['index-pack', '--index-version=2,0x40', 'a.pack'], { cwd: folder, env, stdio: 'pipe' })
  t.same(readdirSync(folder).sort(), ['a.idx', 'a.pack'])
  const index = new PackIndex(readFileSync(join(folder, 'a.idx')))
  const offsets = contents.map((content) => index.offsetAt(index.find(rawId('blob', content))))
  t.equal(offsets[0], 12)
  t.same(
    offsets,
    [...offsets].sort((a, b) => a - b),
  )
})

t.test('a damaged index is refused', async (t) => {
  const good = writePackIndex(makeEntries(30), Buffer.alloc(20))
  const refused = (change: (bytes: Buffer) => Buffer | undefined, message: RegExp) => {
    const copy = Buffer.from(good)
    const bytes = change(copy) ?? copy
    Buffer.from(hash('sha1', bytes.subarray(0, -20), 'hex'), 'hex').copy(bytes, bytes.length - 20)
    t.throws(() => new PackIndex(bytes), { code: 'PackInvalid', message })
  }
  const set = (at: number, value: number) => (bytes: Buffer) => {
    bytes.writeUInt32BE(value >>> 0, at)
    return undefined
  }
  const ids = 8 + 1024
  const offsetsAt = ids + 30 * 24
  refused(set(0, 0), /not a version 2 index/)
  refused(set(4, 1), /not a version 2 index/)
  refused((bytes) => bytes.subarray(0, 900), /not a version 2 index/)
  refused(set(8, 31), /fan-out table falls/)
  refused((bytes) => bytes.copyWithin(ids, ids + 20, ids + 40) as Buffer, /not sorted|does not fit its ids/)
  refused(set(offsetsAt, 0xffffffff), /out of range/)
  refused((bytes) => Buffer.concat([bytes, Buffer.alloc(4)]), /size does not fit/)
  refused((bytes) => Buffer.concat([bytes.subarray(0, offsetsAt), bytes.subarray(-40)]), /size does not fit/)
  const flipped = Buffer.from(good)
  flipped[good.length - 1] ^= 1
  t.throws(() => new PackIndex(flipped), { code: 'PackInvalid', message: /checksum is wrong/ })
})
