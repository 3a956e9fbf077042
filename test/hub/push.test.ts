import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { listPacks } from '../../src/database/packs.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { grantLfs } from '../../src/hub/lfs-presence.ts'
import { holdLfsBytes } from '../../src/hub/lfs-transfer.ts'
import { type FaultyBucket, faultyBucket } from '../support/faulty-bucket.ts'
import { run } from '../support/git.ts'
import { openPushScene as openScene } from '../support/push-scene.ts'

async function countKeys(hub: Hub): Promise<number> {
  let count = 0
  for await (const _ of hub.bucket.list('packs/')) count++
  return count
}

t.test('what was pushed is cloned, object for object', async (t) => {
  const { commit, git, remote, folder } = await openScene(t)
  await commit('one', { 'a.txt': 'one', 'b.bin': randomBytes(300_000) })
  await git('tag', '-a', 'v1', '-m', 'first')
  await commit('two')
  t.equal((await git('push', 'origin', 'main', 'v1')).status, 0)
  const copy = join(folder, '../copy.git')
  t.equal((await run('git', ['clone', '-q', '--mirror', remote, copy])).status, 0)
  t.equal((await run('git', ['fsck', '--strict'], { cwd: copy })).status, 0)
  const list = ['rev-list', '--objects', '--all']
  t.equal((await run('git', list, { cwd: copy })).stdout, (await git(...list)).stdout)
})

t.test('a push that a worker thread receives is held to the same rules', async (t) => {
  const limits = { receivedHereMaxBytes: 1_000, gitBlobMaxBytes: 400_000 }
  const { commit, git, remote, folder } = await openScene(t, { threads: 1, limits })
  await commit('one', { 'a.bin': randomBytes(300_000) })
  t.equal((await git('push', 'origin', 'main')).status, 0)
  await commit('two', { 'a.bin': randomBytes(300_001) })
  t.equal((await git('push', 'origin', 'main')).status, 0)
  const copy = join(folder, '../copy.git')
  t.equal((await run('git', ['clone', '-q', '--mirror', remote, copy])).status, 0)
  t.equal((await run('git', ['fsck', '--strict'], { cwd: copy })).status, 0)

  await commit('too large', { 'b.bin': randomBytes(400_001) })
  const large = await git('push', 'origin', 'main')
  t.match(large.stderr, /b\.bin \(400001 bytes\)/)
  await git('reset', '-q', '--hard', 'HEAD~1')
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 5\n`
  await commit('pointer', { 'c.bin': pointer, 'd.bin': randomBytes(2_000) })
  t.match((await git('push', 'origin', 'main')).stderr, /c\.bin \(a{64}\)/)
})

t.test('group 33: of two pushes from one base the second reads fetch first', async (t) => {
  const { commit, git, remoteRefs } = await openScene(t)
  await commit('base')
  await git('push', 'origin', 'main')
  const first = await commit('first')
  await git('push', 'origin', 'main')
  await git('reset', '-q', '--hard', 'HEAD~1')
  await commit('second')
  // The ref was read before the other push came: forced past the client's own check, the server's compare-and-swap decides.
  const late = await git('push', '--force-with-lease=main:HEAD~1', 'origin', 'HEAD:refs/heads/main')
  t.not(late.status, 0)
  t.match(await remoteRefs(), first)
})

t.test(
  'group 33: many writers race for one branch: one wins, the others are told, nothing is left behind',
  async (t) => {
    const { commit, git, hub, folder, remote, repo } = await openScene(t, { limits: { inlinePackMaxBytes: 0 } })
    await commit('base')
    await git('push', 'origin', 'main')
    const keysBefore = await countKeys(hub)
    const racers = await Promise.all(
      Array.from({ length: 6 }, async (_, number) => {
        const cwd = join(folder, `../racer-${number}`)
        await run('git', ['clone', '-q', remote, cwd])
        await writeFile(join(cwd, 'a.txt'), `racer ${number}`)
        await run('git', ['commit', '-q', '-am', `racer ${number}`], { cwd })
        return cwd
      }),
    )
    const outcomes = await Promise.all(racers.map((cwd) => run('git', ['push', 'origin', 'main'], { cwd })))
    t.equal(outcomes.filter(({ status }) => status === 0).length, 1)
    for (const { stderr } of outcomes.filter(({ status }) => status !== 0)) {
      t.match(stderr, /fetch first|failed to update ref|rejected/)
    }
    t.equal((await listPacks(hub.database, repo.id))?.packs.length, 2)
    t.equal(await countKeys(hub), keysBefore + 2)
  },
)

t.test('a file above the limit is refused with its path and the remedy', async (t) => {
  const { commit, git, remoteRefs } = await openScene(t, { limits: { gitBlobMaxBytes: 1000 } })
  await commit('large', { 'weights.bin': randomBytes(2000) })
  await commit('small again', { 'weights.bin': 'gone' })
  const outcome = await git('push', 'origin', 'main')
  t.not(outcome.status, 0)
  t.match(outcome.stderr, 'weights.bin (2000 bytes)')
  t.match(outcome.stderr, 'git lfs migrate import')
  t.equal(await remoteRefs(), '')
})

t.test('a push beyond the room for packs under way reads so, and leaves the room to others', async (t) => {
  const { commit, git, hub, remoteRefs } = await openScene(t, { spoolMaxBytes: 100_000 })
  await commit('too much', { 'noise.bin': randomBytes(150_000) })
  for (let attempt = 0; attempt < 2; attempt++) {
    const outcome = await git('push', 'origin', 'main')
    t.not(outcome.status, 0)
    t.match(outcome.stderr, /remote unpack failed: The server's spool .* is full \(SPOOL_MAX_BYTES: 100000 .*Try again/)
    t.match(outcome.stderr, '[remote rejected] main -> main (unpacker error)')
  }
  t.equal(await remoteRefs(), '')
  t.equal(await countKeys(hub), 0)
  // Nearly all of the room, twice: neither what was refused nor what was taken holds any of it.
  for (const name of ['one', 'two']) {
    await git('checkout', '-q', '--orphan', name)
    const id = await commit(name, { 'noise.bin': randomBytes(95_000) })
    t.equal((await git('push', 'origin', name)).status, 0)
    t.match(await remoteRefs(), `${id}\trefs/heads/${name}`)
  }
})

t.test('a pointer without its bytes is refused, naming path and oid', async (t) => {
  const { commit, git, hub, remoteRefs } = await openScene(t)
  const oid = createHash('sha256').update('weights').digest('hex')
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 7\n`
  await commit('pointer', { 'model.safetensors': pointer })
  const outcome = await git('push', 'origin', 'main')
  t.not(outcome.status, 0)
  t.match(outcome.stderr, `model.safetensors (${oid})`)
  t.match(outcome.stderr, 'git lfs push --all')
  t.equal(await remoteRefs(), '')
  t.equal(await countKeys(hub), 0)
})

t.test('a pointer that tells another size than its content has is refused, and says so', async (t) => {
  const { commit, git, hub, repo, remoteRefs } = await openScene(t)
  const lfsOid = createHash('sha256').update('weights').digest('hex')
  const pointer = (sizeBytes: number) =>
    `version https://git-lfs.github.com/spec/v1\noid sha256:${lfsOid}\nsize ${sizeBytes}\n`
  await hub.database.transaction(async (tx) => {
    await holdLfsBytes(hub, tx, [{ lfsOid, sizeBytes: 7, key: `lfs/${lfsOid}` }])
    await grantLfs(tx, { repo, oids: [lfsOid] })
  })
  await commit('right', { 'right.bin': pointer(7) })
  t.equal((await git('push', 'origin', 'main')).status, 0)
  const before = await remoteRefs()
  await commit('wrong', { 'wrong.bin': pointer(8), 'copy.bin': `${pointer(7)}\n` })
  const outcome = await git('push', 'origin', 'main')
  t.not(outcome.status, 0)
  t.match(outcome.stderr, `wrong.bin (${lfsOid}): has 7 bytes, its pointer says 8`)
  t.notMatch(outcome.stderr, 'copy.bin')
  t.equal(await remoteRefs(), before)
})

t.test('refs: deleting, several at once, atomic', async (t) => {
  const { commit, git, remoteRefs } = await openScene(t)
  await commit('one')
  await git('push', 'origin', 'main', 'main:refs/heads/other', 'main:refs/heads/a/b')
  t.match((await git('push', 'origin', ':main')).stderr, 'deletion of the current branch prohibited')
  t.match(
    (await git('push', '--atomic', 'origin', ':main', ':other')).stderr,
    'deletion of the current branch prohibited',
  )
  t.match(await remoteRefs(), 'refs/heads/other')
  t.not((await git('push', 'origin', ':main', ':other')).status, 0)
  t.match(await remoteRefs(), 'refs/heads/main')
  t.notMatch(await remoteRefs(), 'refs/heads/other')

  const id = await commit('two')
  const atomic = await git('push', '--atomic', 'origin', 'main', 'main:refs/heads/a')
  t.not(atomic.status, 0)
  t.notMatch(await remoteRefs(), id)
  const single = await git('push', 'origin', 'main', 'main:refs/heads/a')
  t.not(single.status, 0, 'refs/heads/a cannot stand beside refs/heads/a/b')
  t.match(await remoteRefs(), `${id}\trefs/heads/main`)
})

t.test('a branch must be a commit; a tag may be anything', async (t) => {
  const { commit, git, remoteRefs } = await openScene(t)
  await commit('one')
  t.not((await git('push', 'origin', 'main^{tree}:refs/heads/tree')).status, 0)
  t.equal((await git('push', 'origin', 'main^{tree}:refs/tags/tree')).status, 0)
  t.match(await remoteRefs(), 'refs/tags/tree')
})

t.test('group 37: malformed objects are refused, oddities are taken with a word', async (t) => {
  const { git, folder, remoteRefs } = await openScene(t)
  const write = async (type: string, data: Buffer) => {
    const args = ['hash-object', '-w', '--stdin', '--literally', '-t', type]
    return (await run('git', args, { cwd: folder, stdin: streamOf(data) })).stdout.trim()
  }
  const commitOf = async (tree: string, zone: string) =>
    write('commit', Buffer.from(`tree ${tree}\nauthor A <a@b> 1 ${zone}\ncommitter A <a@b> 1 +0000\n\nm\n`))
  const empty = await write('tree', Buffer.alloc(0))
  const odd = await commitOf(empty, '+051800')
  const taken = await git('push', 'origin', `${odd}:refs/heads/odd`)
  t.equal(taken.status, 0)
  t.match(taken.stderr, `remote: warning: commit ${odd}: badTimezone: invalid author/committer line - bad time zone`)

  const modules = await write('blob', Buffer.from('[submodule "x"]\n\tpath = x\n\turl = -u./payload\n'))
  const entry = Buffer.concat([Buffer.from('100644 .gitmodules\0'), Buffer.from(modules, 'hex')])
  const evil = await commitOf(await write('tree', entry), '+0000')
  const refused = await git('push', 'origin', `${evil}:refs/heads/evil`)
  t.not(refused.status, 0)
  t.match(refused.stderr, `remote unpack failed: blob ${modules}: gitmodulesUrl: disallowed submodule url: -u./payload`)
  t.equal(await remoteRefs(), `${odd}\tHEAD\n${odd}\trefs/heads/odd\n`)
})

async function* streamOf(data: Buffer) {
  yield data
}

t.test('a bucket that fails makes the push fail, and changes nothing', async (t) => {
  let bucket: FaultyBucket | undefined
  const { commit, git, remoteRefs } = await openScene(t, {
    limits: { inlinePackMaxBytes: 0 },
    bucket: (real) => {
      bucket = faultyBucket(real)
      return bucket
    },
  })
  await commit('one')
  bucket?.addFault({ method: 'put', kind: 'midway', afterBytes: 10 })
  t.not((await git('push', 'origin', 'main')).status, 0)
  t.equal(await remoteRefs(), '')
  t.equal((await git('push', 'origin', 'main')).status, 0)
})

for (const [where, inlinePackMaxBytes] of [
  ['bucket', 0],
  ['database', 2 ** 18],
] as const) {
  t.test(`compaction merges small packs in the ${where} and changes nothing that is seen`, async (t) => {
    const { commit, git, hub, repo, remote, folder, remoteRefs } = await openScene(t, {
      limits: { inlinePackMaxBytes, compactionPacksMin: 20 },
    })
    for (let number = 0; number < 24; number++) {
      await commit(`commit ${number}`, { [`file-${number % 5}.txt`]: `content ${number}\n`.repeat(50 + number) })
      await git('push', '-q', 'origin', 'main')
    }
    const before = await remoteRefs()
    t.equal((await listPacks(hub.database, repo.id))?.packs.length, 24)
    const notes = await hub.database.query('select 1 from graphile_worker.jobs where task_identifier = $1', ['compact'])
    t.equal(notes.length, 1)

    const reading = join(folder, '../during.git')
    const [result, during] = await Promise.all([
      hub.repositories.compact(repo.id),
      run('git', ['clone', '-q', '--mirror', remote, reading]),
    ])
    t.equal(result.mergedPacks, 24)
    t.equal(during.status, 0)
    const after = (await listPacks(hub.database, repo.id))?.packs
    t.equal(after?.length, 1)
    t.equal(after?.[0].isThin, false)
    t.equal(await remoteRefs(), before)
    const copy = join(folder, '../after.git')
    t.equal((await run('git', ['clone', '-q', '--mirror', remote, copy])).status, 0)
    t.equal((await run('git', ['fsck', '--strict'], { cwd: copy })).status, 0)
    await commit('after')
    t.equal((await git('push', '-q', 'origin', 'main')).status, 0)
    const [doomed] = await hub.database.query<{ count: string }>('select count(*) from doomed_bytes')
    t.equal(doomed.count, where === 'bucket' ? '48' : '0')
    const kept = await hub.database.query('select from inline_packs')
    t.equal(kept.length, where === 'bucket' ? 0 : 1, 'the last push')
  })
}

async function clonedBranch(remote: string, copy: string): Promise<string> {
  await run('git', ['clone', '-q', remote, copy])
  return (await run('git', ['symbolic-ref', 'HEAD'], { cwd: copy })).stdout.trim()
}

t.test('HEAD follows the first branch that is pushed, and says so', async (t) => {
  const { commit, git, remote, folder } = await openScene(t)
  await commit('one')
  await git('tag', 'v1')
  await git('branch', 'dev')
  await git('branch', '-m', 'master')
  t.notMatch((await git('push', 'origin', 'v1')).stderr, /default branch/, 'a tag is no branch')
  const first = await git('push', 'origin', 'dev', 'master')
  t.match(first.stderr, /remote: The default branch is now 'master', since there is no 'main'\./)
  t.equal(await clonedBranch(remote, join(folder, '../first')), 'refs/heads/master')
  await git('branch', 'main')
  t.notMatch((await git('push', 'origin', 'main')).stderr, /default branch/, 'a HEAD that names something stays')
  t.equal(await clonedBranch(remote, join(folder, '../second')), 'refs/heads/master')
})

t.test('of other branches HEAD follows the first; main keeps it', async (t) => {
  const { commit, git, remote, folder } = await openScene(t)
  await commit('one')
  await git('branch', 'b')
  await git('branch', 'a')
  t.match((await git('push', 'origin', 'b', 'a')).stderr, /The default branch is now '[ab]'/)
  t.match(await clonedBranch(remote, join(folder, '../copy')), /^refs\/heads\/[ab]$/)

  const other = await openScene(t)
  await other.commit('one')
  await other.git('branch', 'master')
  t.notMatch((await other.git('push', 'origin', 'master', 'main')).stderr, /default branch/)
  t.equal(await clonedBranch(other.remote, join(other.folder, '../copy')), 'refs/heads/main')
})
