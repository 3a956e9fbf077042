/** Clones from a pack that lies ready, by real git: the same objects as any clone, none too many, whatever was pushed since. */
import t from 'tap'
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
  t.same(await scene.waitingJobs(), ['compact'])
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
  await scene.push('--delete', ...(await git(scene.source, 'for-each-ref', '--format=%(refname)')).split('\n'))
  await scene.compact()
  t.same(
    (await scene.packs()).map(({ tier }) => tier),
    ['rest'],
    'nothing is left to clone',
  )
})
