/** Several packs as one: which copy counts, how far chains reach, and what is said of a damaged one. */
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { typeCodes } from '../../../src/git/pack/format.ts'
import type { PackFile } from '../../../src/git/pack/pack-file.ts'
import { PackSet } from '../../../src/git/pack/pack-set.ts'
import { receivePackFile } from '../../../src/git/pack/receive-pack-file.ts'
import { openReceived, storedEntry } from '../../support/objects.ts'
import { appendDelta, blob, memorySpool, type RawEntry, rawId, rawPack } from '../../support/raw-pack.ts'

const held = { objectHeldMaxBytes: 2 ** 24 }
const limits = {
  gitPackMaxBytes: 2 ** 30,
  gitPackMaxObjects: 1_000,
  gitObjectHeldMaxBytes: 2 ** 24,
  gitDeltaDepthMax: 50,
}

/** A stored pack of the entries, and its bytes, which may be damaged afterwards. */
async function store(entries: readonly RawEntry[], ...existing: PackFile[]) {
  const spool = memorySpool()
  const input = (async function* () {
    yield rawPack(entries)
  })()
  const received = await receivePackFile(input, { spool, existing: new PackSet(existing, held), limits })
  const bytes = Buffer.from(spool.bytes())
  const open = (content = bytes) =>
    openReceived(received, {
      sizeBytes: content.length,
      readSync: (into, at, length, from) => content.copy(into, at, from, from + length),
    })
  return { bytes, open, pack: open() }
}

const base = blob('base '.repeat(40))
const baseId = rawId('blob', base.data)
const deltaOf = (added: string): RawEntry => ({
  typeCode: typeCodes.refDelta,
  data: appendDelta(base.data.length, added),
  base: baseId,
})
const grown = (added: string) => Buffer.concat([base.data, Buffer.from(added)])

t.test('a thin pack reads its base from a pack of a lower number', async (t) => {
  const first = await store([base])
  const second = await store([deltaOf('one')], first.pack)
  const objects = new PackSet([first.pack, second.pack], held)
  const ordinal = objects.locate(rawId('blob', grown('one')))
  t.ok(objects.read(ordinal).data.equals(grown('one')))
  t.same(objects.stat(ordinal), { type: 'blob', sizeBytes: grown('one').length })
  t.equal(storedEntry(objects, ordinal).base, objects.locate(baseId))
  t.ok((await buffer(Readable.from(objects.stream(ordinal)))).equals(grown('one')))
})

t.test('an object in two packs has one ordinal, and lies in the lower one', async (t) => {
  const [first, second] = [await store([blob('x'), base]), await store([blob('y'), base])]
  const objects = new PackSet([first.open(), second.open()], held)
  const ordinal = objects.locate(baseId)
  t.equal(storedEntry(objects, ordinal).pack, 0)
  t.equal(objects.expand(baseId.toString('hex').slice(0, 8), 10).length, 1)
  t.equal(objects.ordinalCount, 4)
})

t.test('a base that is gone, or lies in a later pack, is damage; never an endless chain', async (t) => {
  const first = await store([base])
  const second = await store([deltaOf('two')], first.pack)
  const id = rawId('blob', grown('two'))
  const alone = new PackSet([second.open()], held)
  t.throws(() => alone.read(alone.locate(id)), { code: 'PackInvalid', message: /delta base [0-9a-f]{40} is missing/ })
  const turned = new PackSet([second.open(), first.open()], held)
  t.throws(() => turned.read(turned.locate(id)), { code: 'PackInvalid', message: /lies in a later pack/ })
  t.throws(() => storedEntry(turned, turned.locate(id)), { code: 'PackInvalid' })
})

t.test('what may not be held is streamed', async (t) => {
  const content = randomBytes(300_000)
  const { open } = await store([blob(content), blob('small')])
  const objects = new PackSet([open()], { objectHeldMaxBytes: content.length - 1 })
  const ordinal = objects.locate(rawId('blob', content))
  t.throws(() => objects.read(ordinal), { code: 'ObjectInvalid', message: /300000 bytes is too large/ })
  t.ok((await buffer(Readable.from(objects.stream(ordinal)))).equals(content))
  t.ok(new PackSet([open()], { objectHeldMaxBytes: content.length }).read(ordinal).data.equals(content))
})

t.test('bytes that rotted or were cut off are damage, not content', async (t) => {
  const content = randomBytes(200_000)
  const { open, bytes } = await store([blob(content), blob('small')])
  const rotten = Buffer.from(bytes)
  // Behind the entry's header: the first byte of the zlib stream.
  rotten.fill(0xff, 15, 40)
  const cases = { rotten, cut: bytes.subarray(0, 1_000) }
  for (const [name, damaged] of Object.entries(cases)) {
    const objects = new PackSet([open(damaged)], held)
    const ordinal = objects.locate(rawId('blob', content))
    t.throws(() => objects.read(ordinal), { code: 'PackInvalid' }, name)
    await t.rejects(buffer(Readable.from(objects.stream(ordinal))), { code: 'PackInvalid' }, name)
  }
})

t.test('an empty set knows nothing', (t) => {
  const objects = new PackSet([], held)
  t.equal(objects.locate(baseId), -1)
  t.equal(objects.ordinalCount, 0)
  t.same(objects.expand('abcd', 5), [])
  t.same([...objects.inStoredOrder(new Uint32Array())], [])
  t.end()
})
