/** Every key of receive-pack's configuration: the same push to git and to us, the same outcome. */
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { git, importCommits, makeHistory, temporaryFolder } from '../support/git-client.ts'
import { describe, pushToBoth } from '../support/git-services.ts'

interface Scene {
  folder: string
  client: string
  server: string
}

/** A client whose main is two commits ahead of the server's, and whose `other` is elsewhere. */
async function prepare(t: Test, config: readonly string[] = [], { isBare = true } = {}): Promise<Scene> {
  const folder = temporaryFolder(t)
  const client = join(folder, 'client.git')
  makeHistory(client, { seed: 61, commits: 40 })
  const server = join(folder, 'server')
  await git(folder, 'clone', '-q', ...(isBare ? ['--bare'] : []), '--no-tags', '--single-branch', client, server)
  await git(server, 'remote', 'remove', 'origin')
  await git(server, ...(isBare ? ['update-ref', 'refs/heads/main', 'main~2'] : ['reset', '-q', '--hard', 'main~2']))
  await git(server, 'update-ref', 'refs/heads/old', 'main')
  await git(server, 'update-ref', 'refs/hidden/x', 'main')
  for (const setting of config) {
    const [key, value] = setting.split('=', 2)
    await git(server, 'config', '--add', key, value)
  }
  return { folder, client, server }
}

const rewind = '+main~4:main'

/** Config, then what is pushed; a tag is one pushed ref more. */
const cases: [string[], string[]][] = [
  [[], ['main']],
  [[], ['main', 'main:new', ':old', 'nested']],
  [[], [rewind, '+main~3:old']],
  [[], [':main']],
  [[], [':refs/heads/absent']],
  [[], ['--atomic', 'main', 'main:new', ':main']],
  [[], ['--atomic', 'main', 'main:new', ':old']],
  [[], ['main:refs/heads/old/below', 'main']],
  [[], ['--atomic', 'main:refs/heads/old/below', 'main']],
  [[], ['main:refs/heads/a', 'main:refs/heads/a/b']],
  [[], ['main:refs/heads/x..y', 'main']],
  [[], ['main^{tree}:refs/heads/tree', 'main^{tree}:refs/tags/tree', 'nested:refs/heads/tag', 'main']],
  [[], ['--atomic', 'main^{tree}:refs/heads/tree', 'main']],
  [['receive.denyDeletes=true'], [':old', 'main']],
  [['receive.denyDeletes=true'], [':refs/hidden/x']],
  [['receive.denyNonFastForwards=true'], [rewind, 'main:new']],
  [['receive.denyNonFastForwards=true'], ['main', '+main~3:old']],
  [['receive.denyDeleteCurrent=ignore'], [':main']],
  [['receive.denyDeleteCurrent=warn'], [':main']],
  [['receive.denyDeleteCurrent=refuse'], [':main']],
  [['receive.denyDeleteCurrent=false'], [':main']],
  [['receive.advertiseAtomic=false'], ['--atomic', 'main']],
  [['receive.advertisePushOptions=false'], ['-oone', 'main']],
  [['receive.advertisePushOptions=true'], ['-oone', 'main']],
  [['receive.maxInputSize=50'], ['main', 'main:new']],
  [['receive.maxInputSize=1k'], [':old']],
  [['receive.maxInputSize=100m'], ['main']],
  [['receive.unpackLimit=1'], ['main']],
  [['transfer.unpackLimit=1'], ['main']],
  [['receive.unpackLimit=10000'], ['main', 'nested']],
  [['transfer.hideRefs=refs/hidden'], ['main:refs/hidden/y', ':refs/hidden/x', 'main']],
  [['uploadpack.hideRefs=refs/hidden'], ['main:refs/hidden/y']],
  [
    ['transfer.hideRefs=refs', 'transfer.hideRefs=!refs/heads/main'],
    ['main', 'main:refs/heads/new'],
  ],
  [['receive.hideRefs=!refs/hidden', 'transfer.hideRefs=^refs/hidden/'], ['main:refs/hidden/y']],
  [
    ['receive.hideRefs=^refs/heads', 'receive.hideRefs=!^refs/heads/main'],
    ['main', 'main:refs/heads/mainly'],
  ],
]

for (const [config, args] of cases) {
  t.test(`${config.join(' ') || 'defaults'}: push ${args.join(' ')}`, async (t) => {
    const { client, server } = await prepare(t, config)
    const [gits, ours] = await pushToBoth(client, server, args)
    t.same({ ...ours, stderr: '' }, { ...gits, stderr: '' }, ours.stderr)
    await git(`${server}.our-copy`, 'fsck', '--strict', '--full')
    t.same(leftovers(`${server}.our-copy`), [])
  })
}

/** Locks, folders of quarantine and marks for the gc that a push left behind. */
function leftovers(server: string): string[] {
  return readdirSync(server, { recursive: true })
    .map(String)
    .filter((path) => /\.(lock|keep|new)$|tmp_/.test(path))
}

for (const action of ['', 'ignore', 'warn', 'refuse', 'true']) {
  t.test(`receive.denyCurrentBranch=${action || '(unset)'} in a repository with a work tree`, async (t) => {
    const config = action === '' ? [] : [`receive.denyCurrentBranch=${action}`]
    const { client, server } = await prepare(t, config, { isBare: false })
    await git(server, 'worktree', 'add', '-q', '../linked', 'old')
    const [gits, ours] = await pushToBoth(client, server, ['main', 'main:old', 'main:new', ':refs/hidden/x'])
    t.same({ ...ours, stderr: '' }, { ...gits, stderr: '' }, ours.stderr)
    // One by one: of several logs git mixes the lines by their seconds.
    const log = (copy: string, ref: string) => git(`${server}.${copy}`, 'log', '-g', '--format=%gD %H %gs', ref, '--')
    for (const ref of action === 'ignore' ? ['HEAD', 'new'] : []) {
      t.equal(await log('our-copy', ref), await log('git-copy', ref), ref)
    }
  })
}

t.test('an atomic push falls as a whole with a hidden ref, where git lets the others through', async (t) => {
  const { client, server } = await prepare(t, ['receive.hideRefs=refs/hidden'])
  const [, ours] = await pushToBoth(client, server, ['--atomic', 'main:refs/hidden/y', 'main'])
  t.same(ours.lines, [
    '!\trefs/heads/main:refs/heads/main\t[remote rejected] (atomic push failure)',
    '!\trefs/heads/main:refs/hidden/y\t[remote rejected] (deny updating a hidden ref)',
    'Done',
  ])
  t.equal(ours.refs, (await describe(server)).refs)
})

t.test('updateInstead is refused, in words', async (t) => {
  const { client, server } = await prepare(t, ['receive.denyCurrentBranch=updateInstead'], { isBare: false })
  const [, ours] = await pushToBoth(client, server, ['main'])
  t.match(ours.lines.join('\n'), /main \(branch is currently checked out\)|\[remote rejected\]/)
  t.match(ours.stderr, /updateInstead is not supported/)
})

t.test('packs above the limit are stored as git stores them, under the same name', async (t) => {
  const { client, server } = await prepare(t, ['receive.unpackLimit=4'])
  await pushToBoth(client, server, ['--no-thin', 'main', 'nested'])
  const before = readdirSync(join(server, 'objects/pack'))
  const added = (copy: string) =>
    readdirSync(join(`${server}.${copy}`, 'objects/pack')).filter((name) => !before.includes(name))
  t.equal(added('our-copy').length, 2)
  t.same(added('our-copy').sort(), added('git-copy').sort())
  for (const name of added('our-copy')) {
    const read = (copy: string) => readFileSync(join(`${server}.${copy}`, 'objects/pack', name))
    t.ok(read('our-copy').equals(read('git-copy')), name)
    t.equal(statSync(join(`${server}.our-copy`, 'objects/pack', name)).mode & 0o777, 0o444)
  }
})

t.test('a thin pack is made whole, also on loose bases and on those of alternates', async (t) => {
  const { folder, client } = await prepare(t)
  const lender = join(folder, 'lender.git')
  await git(folder, 'clone', '-q', '--bare', '--no-local', client, lender)
  importCommits(client, 'refs/heads/wide', 'refs/heads/main', 30)
  await git(client, 'repack', '-adq')
  for (const kind of ['loose', 'shared']) {
    const server = join(folder, kind)
    if (kind === 'shared') await git(folder, 'clone', '-q', '--bare', '--shared', lender, server)
    else {
      await git(folder, 'init', '-q', '--bare', server)
      await git(client, 'push', '-q', server, 'main')
    }
    await git(server, 'config', 'receive.unpackLimit', '1')
    const [gits, ours] = await pushToBoth(client, server, ['wide'])
    t.same({ ...ours, stderr: '' }, { ...gits, stderr: '' }, ours.stderr)
    const copy = `${server}.our-copy`
    await git(copy, 'fsck', '--strict', '--full')
    for (const name of readdirSync(join(copy, 'objects/pack')).filter((file) => file.endsWith('.idx'))) {
      await git(copy, 'verify-pack', `objects/pack/${name}`)
    }
    await git(copy, 'gc', '-q', '--prune=now')
    await git(copy, 'fsck', '--strict', '--full')
  }
})

t.test('hooks see what git lets them see, and their word counts', async (t) => {
  for (const [hook, script] of [
    ['pre-receive', 'cat > "$GIT_DIR/seen"; env | grep -E "^GIT_(PUSH|DIR)" | sort >> "$GIT_DIR/seen"; echo said'],
    [
      'pre-receive',
      'while read o n r; do git cat-file -t $n; git -C . cat-file -t $n >&2; done; test -n "$GIT_QUARANTINE_PATH"',
    ],
    ['pre-receive', 'exit 1'],
    ['update', 'echo "$@" >> seen; test "$1" != refs/heads/new'],
    ['post-receive', 'cat > seen; git rev-parse main >> seen; exit 1'],
    ['post-update', 'echo "$@" > seen'],
  ]) {
    const { client, server } = await prepare(t, ['receive.advertisePushOptions=true'])
    const path = join(server, 'hooks', hook)
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    const [gits, ours] = await pushToBoth(client, server, ['-oa=b', '-oc', 'main', 'main:new', ':old'])
    const said = (text: string) => text.split('\n').filter((line) => /^remote: (said|commit)/.test(line))
    t.same({ ...ours, stderr: said(ours.stderr) }, { ...gits, stderr: said(gits.stderr) }, `${hook}: ${script}`)
    const seen = (copy: string) =>
      existsSync(join(`${server}.${copy}`, 'seen')) ? readFileSync(join(`${server}.${copy}`, 'seen'), 'utf8') : ''
    t.equal(seen('our-copy'), seen('git-copy'), hook)
  }
})

t.test('reflogs are kept where core.logAllRefUpdates says so', async (t) => {
  for (const value of ['', 'true', 'false', 'always']) {
    const { client, server } = await prepare(t, value === '' ? [] : [`core.logAllRefUpdates=${value}`])
    await pushToBoth(client, server, ['main', 'main:new', 'main:refs/custom/x', ':old', 'nested'])
    const logs = (copy: string) => {
      const folder = join(`${server}.${copy}`, 'logs')
      const names = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : []
      return names
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => [path.slice(folder.length), readFileSync(path, 'utf8').replace(/\d{10}/g, 'T')])
        .sort()
    }
    t.same(logs('our-copy'), logs('git-copy'), value)
  }
})

t.test('a symbolic ref is pushed through', async (t) => {
  for (const args of [['main:alias'], ['main:alias', 'main'], ['main~1:alias', 'main'], [':alias']]) {
    const { client, server } = await prepare(t)
    await git(server, 'symbolic-ref', 'refs/heads/alias', 'refs/heads/main')
    const [gits, ours] = await pushToBoth(client, server, args)
    t.same({ ...ours, stderr: '' }, { ...gits, stderr: '' }, `${args.join(' ')}: ${ours.stderr}`)
  }
})
