/** Clones from a pack that lies ready, by real git: the same objects as any clone, none too many, whatever was pushed since. */
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { collectGarbage } from '../../src/hub/gc.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { operator } from '../../src/hub/principal.ts'
import { addRule } from '../../src/hub/ref-rules.ts'
import { allObjects, openScene, type Scene, storedChecksum } from '../support/clone-scene.ts'
import { describeRepository, git } from '../support/git.ts'

t.test('a clone is the clone pack as it lies', async (t) => {
  const scene = await openScene(t)
  await scene.push('--all')
  await scene.push('--tags')
  t.match(await scene.compact(), { mergedPacks: 2 })
  t.same(
    (await scene.packs()).map(({ tier }) => tier),
    ['clone'],
  )
  for (const version of ['0', '1', '2']) {
    const { clone, checksums } = await scene.clone('-c', `protocol.version=${version}`)
    t.same(checksums, [await storedChecksum(scene)], `version ${version}`)
    t.same(await describeRepository(clone), await describeRepository(scene.source))
  }
  t.match(await scene.compact(), { mergedPacks: 0 }, 'nothing is due')
})

t.test('what came since follows in the same pack', async (t) => {
  const scene = await openScene(t)
  await scene.push('main~20:refs/heads/main')
  await scene.compact()
  const stored = await storedChecksum(scene)
  await scene.push('--all')
  await scene.push('--tags')
  const { clone, checksums } = await scene.clone()
  t.equal(checksums.length, 1)
  t.not(checksums[0], stored)
  t.same(await describeRepository(clone), await describeRepository(scene.source))
  t.equal(await allObjects(clone), (await describeRepository(scene.source)).objects, 'nothing beyond it')

  const single = await scene.clone('--single-branch', '-b', 'main')
  const expected = await git(
    scene.source,
    'rev-list',
    '--objects',
    '--no-object-names',
    'main',
    ...(await tagsOf(scene)),
  )
  t.equal(await allObjects(single.clone), expected.split('\n').sort().join('\n'), 'tags go with what they name')
})

function openAdmin({ hub }: Scene) {
  return openRepo(hub, operator, { type: 'model', namespace: 'ada', name: 'model' }, 'admin')
}

/** The annotated tags of what `main` leads to. */
async function tagsOf({ source }: Scene) {
  const merged = await git(source, 'for-each-ref', '--merged=main', '--format=%(refname)', 'refs/tags')
  return merged.split('\n')
}

t.test('partial clones are prefixes of it', async (t) => {
  const scene = await openScene(t)
  await scene.push('main~20:refs/heads/main')
  await scene.compact()
  const expected = async (filter: string, ...tips: string[]) => {
    const listed = await git(scene.source, 'rev-list', '--objects', '--no-object-names', `--filter=${filter}`, ...tips)
    return listed.split('\n').sort().join('\n')
  }
  const filters = ['blob:none', 'tree:0', 'combine:tree:0+blob:none', 'blob:limit=60', 'tree:2', 'object:type=tree']
  for (const filter of filters) {
    const { clone } = await scene.clone(`--filter=${filter}`)
    t.equal(await allObjects(clone), await expected(filter, 'main~20'), filter)
  }
  await git(scene.source, 'tag', 'of-blob', await git(scene.source, 'hash-object', '-w', '--stdin'))
  await scene.push('--all')
  await scene.push('--tags')
  for (const filter of filters) {
    const { clone } = await scene.clone(`--filter=${filter}`)
    t.equal(await allObjects(clone), await expected(filter, '--branches', '--tags'), `${filter}, and what came since`)
  }
})

t.test('the checksum of a prefix is that which was worked out before, or for older packs on the way', async (t) => {
  const scene = await openScene(t)
  await scene.push('main')
  await scene.compact()
  const [{ sectionChecksums }] = await scene.packs()
  const known = [0, 20].map((at) => sectionChecksums!.toString('hex', at, at + 20))
  for (const isKnown of [true, false]) {
    if (!isKnown) {
      await scene.hub.database.query('update packs set section_checksums = null')
      await scene.hub.database.query('update repos set packs_version = packs_version + 1')
    }
    for (const [number, filter] of ['tree:0', 'blob:none'].entries()) {
      t.same((await scene.clone(`--filter=${filter}`)).checksums, [known[number]], `${filter}, known: ${isKnown}`)
    }
  }
})

t.test('what was forced or deleted away is sent no longer, at once', async (t) => {
  const scene = await openScene(t)
  await scene.push('--all')
  await scene.compact()
  const gone = await git(scene.source, 'rev-parse', 'main')
  await git(scene.source, 'update-ref', 'refs/heads/main', 'main~3')
  await scene.push('--force', 'main')
  const check = async (message: string) => {
    const { clone, checksums } = await scene.clone('--no-tags')
    const reachable = await git(scene.source, 'rev-list', '--objects', '--no-object-names', '--branches')
    t.equal(await allObjects(clone), reachable.split('\n').sort().join('\n'), message)
    return checksums[0]
  }
  t.not(await check('after the forced push'), await storedChecksum(scene))
  t.same(await scene.waitingCompactions(), ['compact', 'compact-forced'])
  await scene.compact()
  t.same((await scene.packs()).map(({ tier }) => tier).sort(), ['clone', 'rest'])
  t.equal(await check('once it is made anew'), await storedChecksum(scene))
  const { clone } = await scene.clone()
  await git(clone, 'fetch', '-q', scene.url, gone)
  t.equal(await git(clone, 'cat-file', '-t', gone), 'commit', 'who knows the id still gets it')

  const branch = (await git(scene.source, 'for-each-ref', '--format=%(refname)', 'refs/heads/topic-*')).split('\n')[0]
  await git(scene.source, 'update-ref', '-d', branch)
  await scene.push('--delete', branch)
  await check('after a deletion')
  await scene.compact()
  t.equal(await check('made anew again'), await storedChecksum(scene))
})

t.test('histories of unusual shape', async (t) => {
  const scene = await openScene(t)
  t.match(await scene.compact(), { mergedPacks: 0 }, 'an empty repository')
  const blob = await git(scene.source, 'rev-parse', 'main:dir-0/sub-0/file-0').catch(() => '')
  const someBlob = blob === '' ? (await git(scene.source, 'ls-tree', '-r', 'main')).split(/\s+/)[2] : blob
  await git(scene.source, 'tag', 'of-tree', 'main~1^{tree}')
  await git(scene.source, 'tag', 'of-blob', someBlob)
  await git(scene.source, 'tag', '-a', '-m', 'm', 'note-of-tree', 'main^{tree}')
  await git(scene.source, 'update-ref', 'refs/notes/x', 'main')
  await git(scene.source, 'update-ref', '-d', 'refs/heads/main')
  await scene.push('refs/notes/x')
  t.match(await scene.compact(), { mergedPacks: 0 }, 'neither heads nor tags')
  await scene.push('--mirror')
  t.match(await scene.compact(), { mergedPacks: 2 })
  const { clone } = await scene.clone('--mirror')
  t.same(await describeRepository(clone), await describeRepository(scene.source))
  t.equal(await allObjects(clone), (await describeRepository(scene.source)).objects)
  const { clone: plain } = await scene.clone()
  const cloned = await git(scene.source, 'rev-list', '--objects', '--no-object-names', '--branches', '--tags')
  t.equal(await allObjects(plain), cloned.split('\n').sort().join('\n'), 'and none of other refs')
  // HEAD's branch is not deleted; hidden it is no part of a clone either.
  const [head] = /refs\/heads\/\S+/.exec(await git(scene.source, 'ls-remote', '--symref', scene.url, 'HEAD')) ?? []
  const refs = (await git(scene.source, 'for-each-ref', '--format=%(refname)')).split('\n')
  await scene.push('--delete', ...refs.filter((name) => name !== head))
  await addRule(scene.hub, await openAdmin(scene), { pattern: `${head}`, hidden: true })
  await scene.compact()
  t.same(
    (await scene.packs()).map(({ tier }) => tier),
    ['rest'],
    'nothing is left to clone',
  )
})

t.test('what is hidden from readers is no part of what they clone', async (t) => {
  const scene = await openScene(t)
  await scene.push('--all')
  await scene.compact()
  await addRule(scene.hub, await openAdmin(scene), { pattern: 'refs/heads/topic-*', hidden: true })
  t.same(await scene.waitingCompactions(), ['compact'])
  const { clone: between } = await scene.clonePublicly()
  await scene.compact()
  const { clone, checksums } = await scene.clonePublicly()
  t.same(checksums, [await storedChecksum(scene)])
  const shown = (await git(scene.source, 'rev-list', '--objects', '--no-object-names', 'main')).split('\n').sort()
  t.same((await allObjects(between)).split('\n'), shown, 'at once')
  t.same((await allObjects(clone)).split('\n'), shown)
})

t.test('clones beside compaction are whole, and of two compactions one is done', async (t) => {
  const scene = await openScene(t)
  await scene.push('--all')
  const [newest, older] = (await git(scene.source, 'rev-parse', 'main', 'main~4')).split('\n')
  for (const tip of [older, newest, older]) {
    await git(scene.source, 'update-ref', 'refs/heads/main', tip)
    await scene.push('--force', 'main')
    const clones = [1, 2, 3].map(() => scene.clone('--no-tags'))
    const compactions = await Promise.allSettled([scene.compact(), scene.compact()])
    t.ok(compactions.some(({ status }) => status === 'fulfilled'))
    for (const compaction of compactions) {
      if (compaction.status === 'rejected') t.match(compaction.reason, { code: 'Conflict' })
    }
    const reachable = await git(scene.source, 'rev-list', '--objects', '--no-object-names', '--branches')
    for (const { clone } of await Promise.all(clones)) {
      t.equal(await allObjects(clone), reachable.split('\n').sort().join('\n'))
    }
    t.equal((await scene.packs()).filter(({ tier }) => tier === 'clone').length, 1)
  }
})

t.test('a crash between bytes and rows leaves what was there, and bytes for the sweep', async (t) => {
  let crashAt = ''
  const crashAfter = async (key: string, putting: Promise<number>) => {
    const sizeBytes = await putting
    if (crashAt !== '' && key.endsWith(crashAt)) throw new Error('killed')
    return sizeBytes
  }
  const scene = await openScene(t, {
    limits: { orphanBytesGraceSeconds: 0 },
    bucket: (bucket) => ({
      ...bucket,
      put: (key, body, options) => crashAfter(key, bucket.put(key, body, options)),
      putFile: (key, file, options) => crashAfter(key, bucket.putFile(key, file, options)),
      // Who was killed deletes nothing.
      delete: async (keys) => (crashAt === '' ? await bucket.delete(keys) : undefined),
    }),
  })
  await scene.push('--all')
  const before = await scene.packs()
  for (crashAt of ['.pack', '.idx']) await t.rejects(scene.compact(), /killed/)
  t.same(await scene.packs(), before)
  const { clone } = await scene.clone('--no-tags')
  t.ok(await git(clone, 'rev-parse', 'main'))
  crashAt = ''
  t.ok((await collectGarbage(scene.hub)).orphanKeys >= 2)
  t.match(await scene.compact(), { mergedPacks: before.length })
  t.same((await scene.clone('--no-tags')).checksums, [await storedChecksum(scene)])
})

t.test(
  'a clone pack that cannot be stored leaves nothing behind, and small packs are merged all the same',
  async (t) => {
    const scene = await openScene(t, {
      limits: { orphanBytesGraceSeconds: 0, cloneLinkMinBytes: 1 },
      bucket: (bucket) => ({
        ...bucket,
        async put(key, body, options) {
          const sizeBytes = await bucket.put(key, body, options)
          if (key.endsWith('.bundle')) throw new Error('no room for bundles')
          return sizeBytes
        },
      }),
    })
    await scene.push('--all')
    for (let number = 1; number <= 3; number++) {
      const id = await git(scene.source, 'commit-tree', 'main^{tree}', '-p', 'main', '-m', `small ${number}`)
      await git(scene.source, 'update-ref', `refs/heads/small-${number}`, id)
      await scene.push(`small-${number}`)
    }
    await t.rejects(scene.compact(), /no room for bundles/)
    t.match(await scene.packs(), [{ tier: 'received' }, { tier: 'merged', objectCount: 3 }])
    t.match(await collectGarbage(scene.hub), { orphanKeys: 0 })
    const { clone } = await scene.clone('--no-tags')
    t.equal(await git(clone, 'rev-parse', 'small-3'), await git(scene.source, 'rev-parse', 'small-3'))
  },
)

t.test('room in the spool is set aside before a pack is written', async (t) => {
  const spoolMaxBytes = 2 ** 24
  const scene = await openScene(t, { spoolMaxBytes })
  await scene.push('--all')
  const before = await scene.packs()
  const full = scene.hub.repositories.createSpool()
  full.reserve(spoolMaxBytes - 1_000)
  await t.rejects(scene.compact(), /spool for packs on their way in is full/)
  t.same(await scene.packs(), before)
  full.close()
  t.ok((await scene.compact()).cloneObjectCount > 0)
})

t.test('many small pushes, merged, keep their deltas against the clone pack', async (t) => {
  const scene = await openScene(t, { limits: { clonePackObjectsMin: 400, clonePackBytesMin: 2 ** 20 } })
  const lines = Array.from({ length: 2_000 }, (_, line) => `line ${line} ${Math.imul(line + 1, 0x9e3779b1) >>> 0}`)
  const tree = join(scene.folder, 'work')
  await git(scene.folder, 'clone', '-q', scene.source, tree)
  const commit = async (number: number) => {
    lines[number * 7] = `changed by ${number}`
    writeFileSync(join(tree, 'long.txt'), lines.join('\n'))
    await git(tree, 'add', '.')
    await git(tree, 'commit', '-qm', `change ${number}`)
    await git(tree, 'push', '-q', scene.url, 'HEAD:refs/heads/main')
  }
  await commit(0)
  await git(tree, 'commit', '-q', '--allow-empty', '-m', 'beside')
  await git(tree, 'push', '-q', scene.url, 'HEAD:refs/heads/beside')
  await git(tree, 'reset', '-q', '--hard', 'HEAD~1')
  t.ok((await scene.compact()).cloneObjectCount > 0)
  for (let number = 1; number <= 6; number++) await commit(number)
  t.match(await scene.compact(), { mergedPacks: 6, cloneObjectCount: 0 })
  const merged = (await scene.packs()).filter(({ tier }) => tier === 'merged')
  t.match(merged, [{ isThin: true }])
  t.ok(merged[0].packBytes < 6_000, `${merged[0].packBytes} bytes for six versions of a file of 20 kB compressed`)
  for (let number = 7; number <= 12; number++) await commit(number)
  t.match(await scene.compact(), { mergedPacks: 7, cloneObjectCount: 0 }, 'merged with what leans on it')
  await commit(13)
  const { clone } = await scene.clone('--no-tags')
  t.equal(await git(clone, 'rev-parse', 'main'), await git(tree, 'rev-parse', 'HEAD'))

  await scene.push('--delete', 'beside')
  t.ok((await scene.compact()).cloneObjectCount > 0)
  const { clone: anew, checksums } = await scene.clone('--no-tags')
  t.same(checksums, [await storedChecksum(scene)])
  const stored = (await scene.packs()).find(({ tier }) => tier === 'clone')
  await git(anew, 'repack', '-adfq')
  const repacked = statSync(
    join(anew, 'objects/pack', readdirSync(join(anew, 'objects/pack')).find((name) => name.endsWith('.pack'))!),
  )
  t.ok(stored!.packBytes < repacked.size * 1.1, `${stored?.packBytes} bytes, ${repacked.size} as git packs anew`)
})
