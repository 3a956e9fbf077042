/** A chain of 4,095 deltas, the deepest that is taken, each on top of the one before; and one more, which is refused. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { typeCodes } from '../../src/git/pack/format.ts'
import { sendPush } from '../bench/push-series.ts'
import { git, run, tryGit } from '../support/git.ts'
import { made, makeCommit, makeTree } from '../support/objects.ts'
import { appendDelta, type RawEntry, rawPack } from '../support/raw-pack.ts'
import { type LargeRun, largeTest, sameRepository } from './large-run.ts'

const depthMax = 4_095
const added = 'one more line\n'

interface Chain {
  pack: Buffer
  tip: string
}

largeTest(t, `a delta chain of ${depthMax.toLocaleString('en')}`, async (t, large) => {
  const { folder, url, step } = large
  const { pack, tip } = makeChain(depthMax)
  const source = join(folder, 'source.git')
  await git('.', 'init', '--quiet', '--bare', source)
  writeFileSync(join(folder, 'chain.pack'), pack)
  const indexed = await run('sh', ['-c', 'git index-pack --stdin <../chain.pack'], { cwd: source })
  t.equal(indexed.status, 0, indexed.stderr)
  await git(source, 'update-ref', 'refs/heads/main', tip)

  await step('push', () => push(large, { pack, tip }, 'refs/heads/main'))
  const clone = join(folder, 'clone.git')
  await step('clone', () => git(folder, 'clone', '--quiet', '--mirror', url, clone))
  await sameRepository(t, clone, source)
})

largeTest(t, `a delta chain of ${(depthMax + 1).toLocaleString('en')} is refused`, async (t, large) => {
  const refused = large.step('push', () => push(large, makeChain(depthMax + 1), 'refs/heads/main'))
  await t.rejects(refused, /unpack .*(depth|deep|chain)/i)
  t.equal((await tryGit(large.folder, 'ls-remote', large.url)).stdout, '')
})

/** Versions of a file, each a line longer; the first whole, all others deltas. A tree names all of them. */
function makeChain(depth: number): Chain {
  const entries: RawEntry[] = []
  const files: Record<string, ReturnType<typeof made>> = {}
  let content = 'the first line\n'
  for (let version = 0; version <= depth; version++) {
    const name = `version-${String(version).padStart(5, '0')}`
    files[name] = made('blob', content)
    if (version === 0) entries.push({ typeCode: typeCodes.blob, data: Buffer.from(content) })
    else
      entries.push({
        typeCode: typeCodes.ofsDelta,
        data: appendDelta(content.length - added.length, added),
        base: version - 1,
      })
    content += added
  }
  const tree = makeTree(files)
  const commit = makeCommit(tree)
  entries.push({ typeCode: typeCodes.tree, data: tree.data }, { typeCode: typeCodes.commit, data: commit.data })
  return { pack: rawPack(entries), tip: commit.id }
}

async function push({ url }: LargeRun, { pack, tip }: Chain, ref: string): Promise<void> {
  const line = `${'0'.repeat(40)} ${tip} ${ref}\0 report-status object-format=sha1`
  const commands = `${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`
  const headers = { 'content-type': 'application/x-git-receive-pack-request' }
  const body = Buffer.concat([Buffer.from(commands), pack])
  await sendPush(url, { method: 'POST', path: '/git-receive-pack', headers, body })
}
