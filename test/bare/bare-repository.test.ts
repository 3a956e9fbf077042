import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openBareRepository } from '../../src/bare/bare-repository.ts'
import { checkComplete } from '../../src/bare/shallow-file.ts'
import { objectIdBytes, parseObjectId } from '../../src/git/object-id.ts'
import { git, makeHistory, temporaryFolder, tryGit } from '../support/git-client.ts'

t.test('packed, loose and alternate objects are one database', async (t) => {
  const folder = temporaryFolder(t)
  const base = join(folder, 'base.git')
  makeHistory(base, { seed: 51, commits: 40 })
  await git(base, 'repack', '-adq')
  await git(folder, 'clone', '-q', '--shared', '--bare', base, 'borrower.git')
  const path = join(folder, 'borrower.git')
  writeFileSync(join(folder, 'large'), 'a line\n'.repeat(50_000))
  const loose = await git(path, 'hash-object', '-w', join(folder, 'large'))
  await git(path, 'tag', '-a', '-m', 'loose tag', 'loose', 'main')
  const repository = await openBareRepository(path)
  t.teardown(() => repository.close())
  const { objects } = repository
  const listed = (await git(path, 'cat-file', '--batch-all-objects', '--batch-check')).split('\n')
  for (const line of listed) {
    const [id, type, size] = line.split(' ')
    const ordinal = objects.locate(objectIdBytes(parseObjectId(id)!))
    t.equal(objects.idOf(ordinal), id)
    t.same(objects.stat(ordinal), { ...objects.stat(ordinal), type, sizeBytes: Number(size) })
    const chunks: Uint8Array[] = []
    for await (const chunk of objects.stream(ordinal)) chunks.push(chunk)
    const data = Buffer.concat(chunks)
    t.ok(data.equals(objects.read(ordinal).data))
    t.equal(createHash('sha1').update(`${type} ${size}\0`).update(data).digest('hex'), id)
  }
  t.equal(objects.ordinalCount >= listed.length, true)
  t.same(objects.expand(loose.slice(0, 8), 5), [loose])
  t.equal(objects.locate(Buffer.alloc(20)), -1)
})

t.test('refs are what git says', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'r.git')
  makeHistory(path, { seed: 52, commits: 40 })
  await git(path, 'pack-refs', '--all')
  await git(path, 'update-ref', 'refs/heads/main', 'main~1')
  await git(path, 'symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/heads/main')
  // One more than git follows.
  for (let depth = 1; depth <= 5; depth++) {
    const target = depth === 1 ? 'refs/heads/main' : `refs/symbolic/${depth - 1}`
    await git(path, 'symbolic-ref', `refs/symbolic/${depth}`, target)
  }
  await git(path, 'update-ref', Buffer.from('refs/heads/ünïcode').toString(), 'main')
  const repository = await openBareRepository(path)
  t.teardown(() => repository.close())
  const snapshot = await repository.refs()
  const expected = await git(path, 'for-each-ref', '--format=%(objectname) %(refname) %(*objectname)')
  t.same(
    new Set(snapshot.refs.map(({ name, id }) => `${id} ${Buffer.from(name, 'latin1')}`)),
    new Set(expected.split('\n').map((line) => line.split(' ').slice(0, 2).join(' '))),
  )
  t.equal(repository.refStore.resolve('refs/symbolic/4')?.name, 'refs/heads/main')
  t.equal(repository.refStore.resolve('refs/symbolic/5'), undefined)
  t.equal(snapshot.headTarget, 'refs/heads/main')
  t.equal(snapshot.headId, await git(path, 'rev-parse', 'main'))
  const nested = snapshot.refs.get('refs/tags/nested')
  t.equal(nested?.peeledId, await git(path, 'rev-parse', 'nested^{commit}'))
  await git(path, 'update-ref', '--no-deref', 'HEAD', 'main~2')
  const detached = await repository.refs()
  t.equal(detached.headTarget, undefined)
  t.equal(detached.headId, await git(path, 'rev-parse', 'HEAD'))
})

t.test('a damaged index is refused when it is to be verified, and a truncated one always', async (t) => {
  const path = join(temporaryFolder(t), 'r.git')
  makeHistory(path, { seed: 54, commits: 10 })
  await git(path, 'repack', '-adq')
  const [name] = readdirSync(join(path, 'objects/pack')).filter((file) => file.endsWith('.idx'))
  const file = join(path, 'objects/pack', name)
  const bytes = readFileSync(file)
  chmodSync(file, 0o644)
  writeFileSync(file, Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes[bytes.length - 1] ^ 1])]))
  await t.rejects(openBareRepository(path, { isVerified: true }), { code: 'PackInvalid', message: /checksum/ })
  const believed = await openBareRepository(path)
  t.equal((await believed.refs()).headId, await git(path, 'rev-parse', 'main'))
  believed.close()
  writeFileSync(file, bytes.subarray(0, 1500))
  await t.rejects(openBareRepository(path), { code: 'PackInvalid' })
})

t.test('a work tree is opened by its .git folder', async (t) => {
  const folder = temporaryFolder(t)
  await git(folder, 'init', '-q', 'work')
  const repository = await openBareRepository(join(folder, 'work'))
  t.equal(repository.gitPath, join(folder, 'work', '.git'))
  repository.close()
})

t.test('what cannot be taken is refused with a sentence', async (t) => {
  const folder = temporaryFolder(t)
  await t.rejects(openBareRepository(folder), { code: 'RepoNotFound' })
  // A file larger than any that names a folder is not read, whatever it begins with.
  writeFileSync(join(folder, 'large'), `gitdir: ${folder}/source.git\n${' '.repeat(5000)}`)
  await git(folder, 'init', '-q', '--bare', '--object-format=sha256', 'sha256.git')
  await t.rejects(openBareRepository(join(folder, 'sha256.git')), { code: 'Unsupported', message: /SHA-256/ })
  makeHistory(join(folder, 'source.git'), { seed: 53, commits: 5 })
  await git(folder, 'clone', '-q', '--bare', '--depth=1', `file://${folder}/source.git`, 'shallow.git')
  t.ok(existsSync(join(folder, 'shallow.git/shallow')))
  const shallow = await openBareRepository(join(folder, 'shallow.git'))
  t.throws(() => checkComplete(shallow), { code: 'Unsupported', message: /--unshallow/ })
  shallow.close()
  await t.rejects(openBareRepository(join(folder, 'large')), { code: 'RepoNotFound' })
  mkdirSync(join(folder, 'source.git/refs/heads'), { recursive: true })
  writeFileSync(join(folder, 'source.git/refs/heads/broken'), `${'a'.repeat(40)}\n`)
  const broken = await openBareRepository(join(folder, 'source.git'))
  t.equal((await broken.refs()).refs.get('refs/heads/broken'), undefined)
  await t.rejects(broken.refs({ isStrict: true }), { code: 'ObjectMissing', message: /refs\/heads\/broken/ })
  broken.close()
  t.not((await tryGit(folder, 'nonsense')).status, 0)
})
