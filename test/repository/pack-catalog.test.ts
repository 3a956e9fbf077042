import t from 'tap'
import { readConfig } from '../../src/config.ts'
import type { PackTier } from '../../src/database/packs.ts'
import type { Database, RepoId } from '../../src/database/queryable.ts'
import type { PackFile } from '../../src/git/pack/pack-file.ts'
import { createPackCatalog, inNumberOrder } from '../../src/repository/pack-catalog.ts'
import type { OpenedPack } from '../../src/repository/pack-files.ts'

/** A catalogue in which every repository has one pack, and how many of them are open. */
function openCatalog({ cachedBytes, cachedPacksMaxBytes }: { cachedBytes: number; cachedPacksMaxBytes: number }) {
  const row = {
    packsVersion: '1',
    removalEpoch: '0',
    sequence: '1',
    isThin: false,
    indexBytes: 1_100,
    packBytes: 500,
    pack: null,
    index: null,
  }
  const database = { query: async (_sql: string, [id]: unknown[]) => [{ ...row, id }] } as unknown as Database
  const count = { open: 0 }
  const share = (): OpenedPack => {
    count.open++
    const file = { index: { objectCount: 1 } } as PackFile
    return { file, bytes: undefined, cachedBytes, arrival: undefined, share, release: () => void count.open-- }
  }
  const open = async () => share()
  const catalog = createPackCatalog(database, { open }, { limits: readConfig({}).limits, cachedPacksMaxBytes })
  return { catalog, count }
}

t.test('packs of repositories that were read once do not keep all descriptors', async (t) => {
  const { catalog, count } = openCatalog({ cachedBytes: 0, cachedPacksMaxBytes: 0 })
  for (let id = 0; id < 5_000; id++) (await catalog.pin(String(id) as RepoId, 1)).release()
  t.ok(count.open > 3_000 && count.open <= 4_096, `${count.open}`)
  catalog.close()
  t.equal(count.open, 0)
})

t.test('nor more of the local disk than its cache may have, though each is kept alone', async (t) => {
  const { catalog, count } = openCatalog({ cachedBytes: 600, cachedPacksMaxBytes: 2_000 })
  for (let id = 0; id < 10; id++) (await catalog.pin(String(id) as RepoId, 1)).release()
  t.equal(count.open, 3)
  const small = openCatalog({ cachedBytes: 600, cachedPacksMaxBytes: 0 })
  for (let id = 0; id < 10; id++) (await small.catalog.pin(String(id) as RepoId, 1)).release()
  t.equal(small.count.open, 1)
})

t.test('what is being read stays open, whatever else is opened', async (t) => {
  const { catalog, count } = openCatalog({ cachedBytes: 600, cachedPacksMaxBytes: 0 })
  const reading = await catalog.pin('1' as RepoId, 1)
  const other = await catalog.pin('2' as RepoId, 1)
  t.equal(count.open, 2)
  reading.release()
  t.equal(count.open, 1)
  other.release()
})

t.test('a pack stands behind all that its deltas may lean on', async (t) => {
  const row = (tier: PackTier, isThin: boolean, sequence: string) => ({ tier, isThin, sequence })
  const ordered = [
    row('clone', false, '12'),
    row('rest', false, '13'),
    row('received', false, '3'),
    row('merged', true, '14'),
    row('received', true, '4'),
    row('received', true, '11'),
  ]
  t.same(inNumberOrder([...ordered].reverse()), ordered)
})
