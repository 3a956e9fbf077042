/** Every key of upload-pack's configuration: the same fetch from git and from us, the same outcome. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { git, makeHistory, temporaryFolder, tryGit } from '../support/git-client.ts'
import { ourUploadPack } from '../support/git-services.ts'

async function prepare(t: Test, config: readonly string[]) {
  const folder = temporaryFolder(t)
  const server = join(folder, 'server.git')
  makeHistory(server, { seed: 65, commits: 40 })
  const hidden = await git(server, 'commit-tree', '-p', 'main', '-m', 'hidden', 'main^{tree}')
  await git(server, 'update-ref', 'refs/hidden/x', hidden)
  const garbage = await git(server, 'commit-tree', '-m', 'garbage', 'main^{tree}')
  for (const setting of config) {
    const [key, value] = setting.split('=', 2)
    await git(server, 'config', '--add', key, value)
  }
  const ids: Record<string, string> = {
    HIDDEN: hidden,
    GARBAGE: garbage,
    OLD: await git(server, 'rev-parse', 'main~3'),
    BLOB: (await git(server, 'ls-tree', '-r', 'main')).split(/\s/)[2],
    TAG: await git(server, 'rev-parse', 'nested'),
    ABSENT: 'a'.repeat(40),
  }
  return { folder, server, ids }
}

async function fetchFromBoth(t: Test, config: readonly string[], version: number, args: readonly string[]) {
  const { folder, server, ids } = await prepare(t, config)
  const filled = args.map((arg) => arg.replace(/[A-Z]{3,}/, (name) => ids[name] ?? name))
  const outcomes = []
  for (const [name, service] of [
    ['gits', 'git-upload-pack'],
    ['ours', ourUploadPack],
  ]) {
    const client = join(folder, name)
    await git(folder, 'init', '-q', '--bare', client)
    const options = ['-c', `protocol.version=${version}`, 'fetch', '--no-auto-maintenance', `--upload-pack=${service}`]
    const { status, stderr } = await tryGit(client, ...options, `file://${server}`, ...filled)
    const errors = stderr
      .split('\n')
      .filter((line) => /^(fatal|error):/.test(line) && !/early EOF|unexpected disc/.test(line))
    const refs = await git(client, 'for-each-ref', '--format=%(objectname) %(refname)')
    const objects = await git(client, 'cat-file', '--batch-all-objects', '--batch-check', '--unordered')
    outcomes.push({ status, refs, objects: objects.split('\n').sort(), errors })
  }
  return outcomes
}

const all = 'refs/*:refs/*'
const cases: [string[], string[]][] = [
  [[], [all]],
  [['uploadpack.hideRefs=refs/hidden'], [all]],
  [['transfer.hideRefs=refs/hidden'], [all]],
  [['receive.hideRefs=refs/hidden'], [all]],
  [['transfer.hideRefs=refs', 'uploadpack.hideRefs=!refs/tags'], [all]],
  [['uploadpack.hideRefs=!refs/heads/main', 'transfer.hideRefs=refs/heads'], [all]],
  [['uploadpack.hideRefs=^refs/heads', 'transfer.hideRefs=!^refs/heads/main'], [all]],
  [['transfer.hideRefs=HEAD'], ['HEAD:refs/heads/got']],
  [['transfer.hideRefs=refs/heads/main'], ['HEAD:refs/heads/got']],
  [[], ['--filter=blob:none', 'main:main']],
  [['uploadpack.allowFilter=true'], ['--filter=blob:none', 'main:main']],
  [['uploadpack.allowFilter=false'], ['--filter=tree:0', 'main:main']],
  ...['OLD', 'HIDDEN', 'GARBAGE', 'BLOB', 'TAG', 'ABSENT'].flatMap((want): [string[], string[]][] =>
    [
      [],
      ['uploadpack.hideRefs=refs/hidden'],
      ['uploadpack.hideRefs=refs/hidden', 'uploadpack.allowTipSHA1InWant=true'],
      ['uploadpack.hideRefs=refs/hidden', 'uploadpack.allowReachableSHA1InWant=true'],
      ['uploadpack.hideRefs=refs/hidden', 'uploadpack.allowAnySHA1InWant=true'],
    ].map((config) => [config, ['--no-tags', want]]),
  ),
  [['uploadpack.allowRefInWant=1'], ['main:main', 'refs/tags/nested:refs/tags/nested']],
  [['uploadpack.allowRefInWant=1', 'transfer.hideRefs=refs/hidden'], ['refs/hidden/x:refs/got']],
  [['uploadpack.allowFilter=maybe'], [all]],
]

for (const version of [0, 2]) {
  // Version 2 gives away whatever is there: the keys about wants mean nothing to it.
  const isMeant = ([config]: (typeof cases)[0]) =>
    version === 0 || !config.some((setting) => setting.includes('InWant=true'))
  for (const [config, args] of cases.filter(isMeant)) {
    t.test(`version ${version}, ${config.join(' ') || 'defaults'}: fetch ${args.join(' ')}`, async (t) => {
      const [gits, ours] = await fetchFromBoth(t, config, version, args)
      t.same({ ...ours, errors: [] }, { ...gits, errors: [] }, ours.errors.join())
      t.equal(ours.errors.length > 0, gits.errors.length > 0, `${ours.errors.join()} / ${gits.errors.join()}`)
    })
  }
}
