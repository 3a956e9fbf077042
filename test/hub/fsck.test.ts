import { randomBytes } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { lfsKey, newKeyId, packKey } from '../../src/bucket/keys.ts'
import type { Limits } from '../../src/config.ts'
import { authenticate } from '../../src/hub/authenticate.ts'
import { checkLfsObjects, checkRepo } from '../../src/hub/fsck.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { createInitialCommit } from '../../src/hub/initial-commit.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { operator, type UserPrincipal } from '../../src/hub/principal.ts'
import type { Repo } from '../../src/hub/repo.ts'
import { addPerson, addRepo, openHouse } from '../support/house.ts'
import { contentOf } from '../support/lfs.ts'

async function houseWithCommit(t: Parameters<typeof openHouse>[0], limits: Partial<Limits> = {}) {
  const hub = await openHouse(t, { limits })
  const ann = await addPerson(hub, 'ann')
  const created = await addRepo(hub, ann, 'm')
  const principal = await authenticate(hub, { kind: 'bearer', token: ann.token }, '192.0.2.1')
  await createInitialCommit(hub, principal as UserPrincipal, created)
  const repo = await openRepo(hub, operator, created, 'admin')
  const [{ packId }] = await hub.database.query<{ packId: string }>('select id as "packId" from packs')
  const pathOf = (kind: 'pack' | 'idx') => join(hub.config.dataDir, 'bucket', packKey(repo.id, packId, kind))
  return { hub, repo, pathOf }
}

async function faultsOf(hub: Hub, repo: Repo, isDeep = false): Promise<string[]> {
  const faults: string[] = []
  await checkRepo(hub, repo, { isDeep, onFault: (fault) => faults.push(fault) })
  return faults
}

t.test('a repository that is well, and an empty one', async (t) => {
  const { hub, repo } = await houseWithCommit(t)
  const options = { isDeep: true, onFault: (fault: string) => t.fail(fault) }
  t.same(await checkRepo(hub, repo, options), { refs: 1, packs: 1, objects: 3 })
  const empty = await addRepo(hub, await addPerson(hub, 'bob'), 'empty')
  t.same(await checkRepo(hub, empty, options), { refs: 0, packs: 0, objects: 0 })
})

t.test('a pack that changed, shrank or is gone is a fault, cached objects or not', async (t) => {
  const { hub, repo, pathOf } = await houseWithCommit(t, { inlinePackMaxBytes: 0 })
  t.same(await faultsOf(hub, repo), [])
  const whole = await readFile(pathOf('pack'))
  const changed = Buffer.from(whole)
  changed[40] ^= 1
  await writeFile(pathOf('pack'), changed)
  t.match(await faultsOf(hub, repo), [/^ann\/m: pack .*: its bytes do not match its checksum/])
  await writeFile(pathOf('pack'), whole.subarray(0, -1))
  t.match(await faultsOf(hub, repo), [/its row says \d+/])
  await rm(pathOf('pack'))
  t.match(await faultsOf(hub, repo), [/bytes are not in the bucket/])
  await writeFile(pathOf('pack'), whole)
  t.same(await faultsOf(hub, repo), [])
})

t.test('an index that is damaged or gone is a fault', async (t) => {
  const { hub, repo, pathOf } = await houseWithCommit(t, { inlinePackMaxBytes: 0 })
  const index = await readFile(pathOf('idx'))
  const damagedAt = (at: number) => index.map((byte, position) => (position === at ? byte ^ 1 : byte))
  await writeFile(pathOf('idx'), damagedAt(1_100))
  t.match((await faultsOf(hub, repo))[0], /pack .*index/)
  await writeFile(pathOf('idx'), damagedAt(index.length - 1))
  t.match((await faultsOf(hub, repo))[0], /pack .*side-car/)
  await rm(pathOf('idx'))
  t.match((await faultsOf(hub, repo))[0], /bytes are not in the bucket/)
})

t.test('so it is with a small pack, whose bytes lie in the database', async (t) => {
  const { hub, repo } = await houseWithCommit(t)
  await hub.database.query('update inline_packs set pack = set_byte(pack, 40, get_byte(pack, 40) # 1)')
  t.match(await faultsOf(hub, repo), [/^ann\/m: pack .*: its bytes do not match its checksum/])
  await hub.database.query('delete from inline_packs')
  t.match((await faultsOf(hub, repo))[0], /^ann\/m: pack .*: its bytes are not in the database/)
})

t.test('a row that says otherwise is a fault', async (t) => {
  const { hub, repo } = await houseWithCommit(t)
  await hub.database.query('update packs set object_count = 4')
  t.match(await faultsOf(hub, repo), [/its index lists 3 objects, and its row says 4/])
  await hub.database.query('update packs set object_count = 3, checksum = $1', [Buffer.alloc(20)])
  t.match(await faultsOf(hub, repo), [/its checksum is not the one of its row/])
})

t.test('refs that name nothing are faults, HEAD too', async (t) => {
  const { hub, repo } = await houseWithCommit(t)
  const absent = Buffer.alloc(20, 0xab)
  await hub.database.query(`insert into refs (repo_id, name, object_id) values ($1, 'refs/heads/lost', $2)`, [
    repo.id,
    absent,
  ])
  await hub.database.query(
    `update repos set head_target = 'refs/heads/nowhere', refs_version = refs_version + 1, packs_version = packs_version`,
  )
  const faults = await faultsOf(hub, await openRepo(hub, operator, repo, 'read'))
  t.match(faults, [
    `ann/m: refs/heads/lost names ${absent.toString('hex')}, which is missing`,
    /HEAD names refs\/heads\/nowhere, which does not exist/,
  ])
})

t.test('LFS bytes must be there, have their size and, deep, their hash', async (t) => {
  const { hub, repo } = await houseWithCommit(t)
  const { oid, size, bytes } = contentOf(randomBytes(1000))
  const key = lfsKey(oid, newKeyId())
  await hub.bucket.put(
    key,
    (async function* () {
      yield bytes
    })(),
  )
  const insert = 'insert into lfs_objects (oid, size_bytes, key) values ($1, $2, $3)'
  await hub.database.query(insert, [Buffer.from(oid, 'hex'), size, key])
  const check = async (repoId: Repo['id'] | undefined, isDeep: boolean) => {
    const faults: string[] = []
    const count = await checkLfsObjects(hub, repoId, { isDeep, onFault: (fault) => faults.push(fault) })
    return { count, faults }
  }
  t.same(await check(undefined, true), { count: 1, faults: [] })
  t.same(await check(repo.id, true), { count: 0, faults: [] }, 'it is not granted here')
  await hub.database.query('insert into lfs_grants (repo_id, oid) select $1, oid from lfs_objects', [repo.id])
  t.same(await check(repo.id, true), { count: 1, faults: [] })

  const path = join(hub.config.dataDir, 'bucket', key)
  await writeFile(path, randomBytes(1000))
  t.same(await check(undefined, false), { count: 1, faults: [] })
  t.same(await check(undefined, true), { count: 1, faults: [`LFS object ${oid}: its bytes have another SHA-256`] })
  await writeFile(path, bytes.subarray(1))
  t.same((await check(undefined, false)).faults, [`LFS object ${oid}: it has 999 bytes, and its row says 1000`])
  await rm(path)
  t.match((await check(repo.id, false)).faults, [/are not in the bucket/])
})

t.test('LFS objects are looked at page by page', async (t) => {
  const hub = await openHouse(t, { limits: { listPageMax: 2 } })
  await hub.database.query(
    `insert into lfs_objects (oid, size_bytes, key)
     select sha256(n::text::bytea), 1, 'lfs/aa/bb/' || n from generate_series(1, 5) n`,
  )
  const faults: string[] = []
  t.equal(await checkLfsObjects(hub, undefined, { isDeep: false, onFault: (fault) => faults.push(fault) }), 5)
  t.equal(new Set(faults).size, 5)
})
