/** The clone pack of everything in a repository that git has packed: read by git, in sections, chains cut short. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { writeClonePack } from '../../../src/git/pack/clone-order.ts'
import { openPackedRepository } from '../../support/packed-repository.ts'

/** Commits that each grow one of three files, in several packs, with chains of up to 200 deltas. */
function makeRepository(t: Test): string {
  const folder = join(t.testdir(), 'source.git')
  const git = (args: string[], input?: string) => execFileSync('git', ['-C', folder, ...args], { input })
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', folder])
  for (const part of [0, 1, 2]) {
    const lines: string[] = []
    for (let commit = 1 + part * 100; commit <= (part + 1) * 100; commit++) {
      const body = Array.from({ length: 30 + commit }, (_, line) => `line ${line} of file ${commit % 3}`).join('\n')
      lines.push('commit refs/heads/main', `committer A <a@example.org> ${1_700_000_000 + commit} +0000`, 'data 1', 'm')
      if (commit === 1 + part * 100 && part > 0) lines.push('from refs/heads/main^0')
      lines.push(`M 100644 inline dir/file${commit % 3}.txt`, `data ${body.length}`, body)
    }
    git(['fast-import', '--quiet'], `${lines.join('\n')}\n`)
    git(['-c', 'pack.depth=200', '-c', 'pack.window=100', 'repack', '-dfq'])
  }
  git(['tag', '-a', '-m', 'm', 'v1', 'main'])
  git(['repack', '-dq'])
  return folder
}

t.test('commits and tags, trees, blobs, no chain longer than 50', async (t) => {
  const folder = makeRepository(t)
  const { objects, close } = openPackedRepository(folder)
  t.teardown(close)
  t.ok(objects.packs.length > 1)
  const located = new Set<number>()
  for (const { index } of objects.packs) {
    for (let position = 0; position < index.objectCount; position++) {
      located.add(objects.locate(index.ids, position * 20))
    }
  }
  const ordinals = Uint32Array.from(located).sort()
  const pack = await buffer(Readable.from(writeClonePack(objects, ordinals)))
  const path = join(t.testdir(), 'clone.pack')
  writeFileSync(path, pack)
  execFileSync('git', ['index-pack', '--strict', path], { stdio: 'pipe' })
  const listed = execFileSync('git', ['verify-pack', '-v', path], { encoding: 'utf8' }).split('\n')
  const entries = listed.flatMap((line) => {
    const [id, type, , , offset, depth = '0'] = line.split(/\s+/)
    return /^[0-9a-f]{40}$/.test(id) ? [{ type, offset: Number(offset), depth: Number(depth) }] : []
  })
  t.equal(entries.length, ordinals.length)
  const depths = entries.map(({ depth }) => depth)
  t.ok(Math.max(...depths) > 10 && Math.max(...depths) <= 50, `${Math.max(...depths)}`)
  const order = ['commit', 'tag', 'tree', 'blob']
  const sections = entries.sort((a, b) => a.offset - b.offset).map(({ type }) => Math.max(order.indexOf(type), 1))
  t.same(sections, [...sections].sort(), 'types in their order')
})

t.test('no objects at all', async (t) => {
  const { objects, close } = openPackedRepository(makeRepository(t))
  t.teardown(close)
  const pack = await buffer(Readable.from(writeClonePack(objects, new Uint32Array(0))))
  t.equal(pack.length, 32)
})
