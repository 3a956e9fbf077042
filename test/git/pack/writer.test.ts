import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { objectIdBytes, parseObjectId } from '../../../src/git/object-id.ts'
import { writePack } from '../../../src/git/pack/writer.ts'
import { storedEntry } from '../../support/objects.ts'
import { openPackedRepository } from '../../support/packed-repository.ts'

/** Sixty commits that each grow one of three files and add one, so that the pack is full of deltas. */
function makeRepository(t: Test): string {
  const folder = join(t.testdir(), 'source.git')
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', folder])
  const lines: string[] = []
  for (let commit = 1; commit <= 60; commit++) {
    const body = Array.from({ length: 40 + commit }, (_, line) => `line ${line} of file ${commit % 3}`).join('\n')
    const message = `commit ${commit}`
    lines.push('commit refs/heads/main', `committer A <a@example.org> ${1700000000 + commit} +0000`)
    lines.push(`data ${message.length}`, message)
    lines.push(`M 100644 inline dir/file${commit % 3}.txt`, `data ${body.length}`, body)
    lines.push(`M 100644 inline new/${commit}.txt`, `data ${message.length}`, message)
  }
  execFileSync('git', ['-C', folder, 'fast-import', '--quiet'], { input: `${lines.join('\n')}\n` })
  execFileSync('git', ['-C', folder, 'repack', '-adfq'])
  return folder
}

function git(folder: string, args: string[], input?: Buffer): string {
  return execFileSync('git', ['-C', folder, ...args], { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })
}

const all = (count: number) => Uint32Array.from({ length: count }, (_, ordinal) => ordinal)

t.test('every object reads as git reads it', async (t) => {
  const folder = makeRepository(t)
  const { objects, close } = openPackedRepository(folder)
  t.teardown(close)
  const listed = git(folder, ['cat-file', '--batch-all-objects', '--batch-check'])
  for (const line of listed.trim().split('\n')) {
    const [name, type, size] = line.split(' ')
    const id = parseObjectId(name)!
    const ordinal = objects.locate(objectIdBytes(id))
    t.same(objects.stat(ordinal), { type, sizeBytes: Number(size) })
    t.equal(objects.idOf(ordinal), id)
    const content = execFileSync('git', ['-C', folder, 'cat-file', type, name])
    t.ok(objects.read(ordinal).data.equals(content))
    t.ok((await buffer(Readable.from(objects.stream(ordinal)))).equals(content))
  }
  t.equal(objects.locate(Buffer.alloc(20)), -1)
})

t.test('ids are found by prefix', async (t) => {
  const folder = makeRepository(t)
  const { objects, close } = openPackedRepository(folder)
  t.teardown(close)
  const head = git(folder, ['rev-parse', 'main']).trim()
  t.same(objects.expand(head.slice(0, 9), 2), [head])
  t.same(objects.expand('0'.repeat(39), 2), [])
})

for (const ofsDelta of [true, false]) {
  t.test(`a pack of everything, ofs-delta ${ofsDelta}, holds what the repository holds`, async (t) => {
    const folder = makeRepository(t)
    const { objects, close } = openPackedRepository(folder)
    t.teardown(close)
    const pack = await buffer(Readable.from(writePack(objects, all(objects.ordinalCount), { ofsDelta })))
    const copy = join(folder, '../copy.git')
    execFileSync('git', ['init', '-q', '--bare', copy])
    git(copy, ['index-pack', '--stdin', '--strict'], pack)
    const list = ['cat-file', '--batch-all-objects', '--batch-check']
    t.equal(git(copy, list), git(folder, list))
  })
}

t.test('a delta whose base the reader lacks goes out whole; one whose base it has goes out thin', async (t) => {
  const folder = makeRepository(t)
  const { objects, close } = openPackedRepository(folder)
  t.teardown(close)
  const deltas = [...all(objects.ordinalCount)].filter((ordinal) => storedEntry(objects, ordinal).base >= 0)
  const chosen = Uint32Array.of(deltas[0])
  const whole = await buffer(Readable.from(writePack(objects, chosen, { ofsDelta: true })))
  const copy = join(folder, '../copy.git')
  execFileSync('git', ['init', '-q', '--bare', copy])
  git(copy, ['index-pack', '--stdin'], whole)
  t.match(git(copy, ['cat-file', '--batch-all-objects', '--batch-check']), objects.idOf(deltas[0]))

  const thin = await buffer(Readable.from(writePack(objects, chosen, { ofsDelta: true, isClientKnown: () => true })))
  t.ok(thin.length < whole.length)
  git(folder, ['index-pack', '--stdin', '--fix-thin'], thin)
})

t.test('chains are cut where they become too deep', async (t) => {
  const folder = makeRepository(t)
  const { objects, close } = openPackedRepository(folder)
  t.teardown(close)
  const pack = await buffer(
    Readable.from(writePack(objects, all(objects.ordinalCount), { ofsDelta: true, deltaDepthMax: 2 })),
  )
  const copy = join(folder, '../copy.git')
  execFileSync('git', ['init', '-q', '--bare', copy])
  git(copy, ['index-pack', '--stdin'], pack)
  const statistics = git(copy, ['verify-pack', '-sv', ...packNames(copy)])
  t.match(statistics, 'chain length = 2')
  t.notMatch(statistics, 'chain length = 3')
})

function packNames(folder: string): string[] {
  return execFileSync('sh', ['-c', 'ls objects/pack/*.idx'], { cwd: folder, encoding: 'utf8' }).trim().split('\n')
}
