/** A pack comes out the same whether it was received on the event loop or in a worker thread, and fails the same. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { openDisk } from '../../src/disk/local-disk.ts'
import { type FsckSettings, strictSettings } from '../../src/git/fsck/settings.ts'
import { typeCodes } from '../../src/git/pack/format.ts'
import { formatFreshPack } from '../../src/git/pack/fresh-pack.ts'
import { smallBlobs } from '../../src/git/pack/noted-blobs.ts'
import { PackFile } from '../../src/git/pack/pack-file.ts'
import { PackIndex } from '../../src/git/pack/pack-index.ts'
import { PackSet } from '../../src/git/pack/pack-set.ts'
import { SideCar } from '../../src/git/pack/side-car.ts'
import { fromThread } from '../../src/git/worker.ts'
import { defaultLimits } from '../../src/limits.ts'
import type { Ground } from '../../src/repository/ground.ts'
import { inlinePackFile } from '../../src/repository/pack-files.ts'
import { receivePack } from '../../src/repository/receive.ts'
import { ReceiveMemory } from '../../src/repository/receive-memory.ts'
import { shareObjects } from '../../src/repository/shared-objects.ts'
import { modulesObjects, tree } from '../support/fsck-cases.ts'
import { temporaryFolder } from '../support/git.ts'
import { makeHistory } from '../support/git-client.ts'
import { made } from '../support/objects.ts'
import { appendDelta, blob, rawId, rawPack } from '../support/raw-pack.ts'
import { makeBlobs } from '../support/repositories.ts'
import { middleOf, packOf } from '../support/two-packs.ts'
import { openWorkers, workersHere } from '../support/workers.ts'

const toNote = { smallPrefix: Buffer.from('blob 1'), smallMax: 2, largeAboveBytes: 100, largeMax: 1 }

/** A ground with a pool of one thread that takes packs of more than `receivedHereMaxBytes`. */
async function openGround(t: Test, receivedHereMaxBytes: number, spoolMaxBytes = 2 ** 30): Promise<Ground> {
  const disk = await openDisk({ folder: temporaryFolder(t, 'receive'), cacheMaxBytes: 0, spoolMaxBytes })
  t.teardown(() => disk.close())
  const limits = { ...defaultLimits, receivedHereMaxBytes, gitPackMaxBytes: 2 ** 26 }
  const receiveMemory = new ReceiveMemory(limits.receiveMemoryMaxBytes)
  return { disk, limits, receiveMemory, workers: openWorkers(t, 1) } as unknown as Ground
}

async function* cut(bytes: Buffer, pieceBytes = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

/** A spool uses the memory of its pieces again. */
async function* copies(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of stream) yield Buffer.from(piece)
}

async function receive(ground: Ground, pack: Buffer, packs: PackFile[] = [], fsck?: FsckSettings) {
  const spool = ground.disk.createSpool()
  const existing = { objects: new PackSet(packs, { objectHeldMaxBytes: 2 ** 24 }) }
  const { received, noted } = await receivePack(ground, cut(pack), { spool, existing, toNote, fsck })
  const file = new PackFile(new PackIndex(received.index), spool.file, received.isThin)
  return { received, noted, spool, file, objects: new PackSet([...packs, file], { objectHeldMaxBytes: 2 ** 24 }) }
}

t.test('received here or in a thread, a pack is the same', async (t) => {
  const pack = formatFreshPack([...makeBlobs(300), { type: 'blob', data: randomBytes(3_000_000) }])
  const [here, there] = await Promise.all(
    [2 ** 26, pack.length - 1].map(async (most) => receive(await openGround(t, most), pack)),
  )
  t.same(there.received, here.received)
  t.same(there.noted, here.noted)
  t.equal(there.noted.smallCount, 24)
  t.same(
    Array.from(smallBlobs(there.noted), ({ data }) => data.toString().slice(0, 7)),
    ['blob 1\n', 'blob 10'],
  )
  t.ok((await buffer(copies(there.spool.stream()))).equals(pack))
  for (const { data, idBytes } of makeBlobs(300)) {
    t.ok(there.objects.read(there.objects.locate(idBytes)).data.equals(data))
  }
})

t.test('a thin pack finds its bases in the packs that the thread shares', async (t) => {
  const ground = await openGround(t, 0)
  const base = blob('base '.repeat(100))
  const first = await receive(ground, rawPack([base]))
  const added = 'and more'
  const delta = { typeCode: typeCodes.refDelta, data: appendDelta(500, added), base: rawId('blob', base.data) }
  const second = await receive(ground, rawPack([delta]), [first.file])
  const small = rawPack([base])
  const { index } = first.received
  const inline = inlinePackFile({ pack: small, index }, { isThin: false, indexBytes: index.length })
  t.same((await receive(ground, rawPack([delta]), [inline])).received, second.received, 'a small pack lies in memory')
  t.ok(second.received.isThin)
  const id = rawId('blob', Buffer.concat([base.data, Buffer.from(added)]))
  t.equal(second.objects.read(second.objects.locate(id)).data.toString(), 'base '.repeat(100) + added)
  await t.rejects(receive(ground, rawPack([delta])), { code: 'PackInvalid', message: /base .* is missing/ })
})

t.test('objects are checked by the same settings', async (t) => {
  const odd = [made('tree', tree(['100664', 'a'])), made('tree', tree(['40000', '.git', 2])), ...modulesObjects('[x')]
  const pack = formatFreshPack(odd)
  const take = (settings: FsckSettings) =>
    Promise.all(
      [2 ** 26, 0].map(async (most) => {
        const outcome = receive(await openGround(t, most), pack, [], settings)
        return await outcome.then(({ received }) => received.findings).catch((error) => error.message)
      }),
    )
  const [refusedHere, refusedThere] = await take(strictSettings)
  t.match(refusedThere, /: hasDotgit: contains '\.git'$/)
  t.equal(refusedThere, refusedHere)
  const [here, there] = await take({ ...strictSettings, skipIds: new Set([odd[1].id]) })
  t.same(there, here)
  t.match(there.warnings, [/badFilemode/])
  t.equal(Buffer.from(there.named.modules).toString('hex'), odd[3].id)
})

t.test('what is wrong with a pack is told in the same words', async (t) => {
  const pack = rawPack([blob(randomBytes(100_000)), { ...blob('lie'), sizeBytes: 4 }])
  const [here, there] = await Promise.all(
    [2 ** 26, 0].map(async (most) => receive(await openGround(t, most), pack).catch((error) => error)),
  )
  t.equal(there.code, 'PackInvalid')
  t.equal(there.message, here.message)
  await t.rejects(receive(await openGround(t, 0), pack.subarray(0, 50_000)), { code: 'PackInvalid' })
})

t.test('the spool has one bound for both', async (t) => {
  const pack = rawPack([blob(randomBytes(100_000))])
  for (const most of [2 ** 26, 0]) {
    await t.rejects(receive(await openGround(t, most, pack.length - 1), pack), { code: 'StorageFull' })
    const ground = await openGround(t, most, pack.length)
    const { spool } = await receive(ground, pack)
    await t.rejects(receive(ground, pack), { code: 'StorageFull' })
    spool.close()
    await t.resolves(receive(ground, pack))
  }
})

t.test('a client that leaves ends the reception', async (t) => {
  for (const most of [2 ** 26, 0]) {
    const ground = await openGround(t, most)
    const client = new AbortController()
    async function* endless() {
      yield* cut(rawPack([blob(randomBytes(100_000))]).subarray(0, 50_000))
      client.abort(new Error('gone'))
      for (;;) {
        yield randomBytes(1000)
        await new Promise(setImmediate)
      }
    }
    const existing = { objects: new PackSet([], { objectHeldMaxBytes: 2 ** 24 }) }
    const options = { spool: ground.disk.createSpool(), existing, signal: client.signal }
    await t.rejects(receivePack(ground, endless(), options), { message: 'gone' })
  }
})

t.test('a pack that is rewritten is whole, and what is known of its commits with it', async (t) => {
  const path = join(temporaryFolder(t, 'history'), 'source.git')
  makeHistory(path, { seed: 84, commits: 40 })
  const ground = await openGround(t, 0)
  const older = await receive(ground, packOf(path, [await middleOf(path)]))
  const newer = await receive(ground, packOf(path, ['--not', await middleOf(path)], '--all'), [older.file])
  const { objects } = newer
  const numbers = [0, 1]
  for (const workers of [ground.workers, workersHere()]) {
    const shared = shareObjects(objects, ground.limits)
    const all = await workers.run('selectMembers', { objects: shared, numbers })
    const some = await workers.run('selectMembers', { objects: shared, numbers, except: all.subarray(1) })
    t.same([...some], [all[0]])
    for (const isForClone of [false, true]) {
      const spool = ground.disk.createSpool()
      const input = {
        objects: shared,
        ordinals: all,
        isForClone,
        groundPackCount: 0,
        spoolDescriptor: spool.file.descriptor,
        limits: ground.limits,
      }
      const received = fromThread(await workers.run('rewritePack', input))
      spool.adopt(received.sizeBytes)
      t.equal(received.objectCount, all.length)
      t.equal(received.isThin, false)
      t.ok(new SideCar(received.sideCar, new PackIndex(received.index)).hasChanges)
    }
  }
})
