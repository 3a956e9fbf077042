/** `holdfast upload-pack` and `receive-pack` as git's clients and git-http-backend's kind start them. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { run } from '../support/git.ts'
import { git, makeHistory, temporaryFolder, tryGit } from '../support/git-client.ts'
import { ourReceivePack, ourUploadPack } from '../support/git-services.ts'

const main = resolve(import.meta.dirname, '../../src/main.ts')
const holdfast = (args: string[], env: Record<string, string> = {}, stdin = '') =>
  run(process.execPath, [main, ...args], { env, stdin })

for (const version of [0, 1, 2]) {
  t.test(`version ${version}: clone, fetch, push and mirror`, async (t) => {
    const folder = temporaryFolder(t)
    const source = join(folder, 'source.git')
    makeHistory(source, { seed: 71, commits: 60 })
    const protocol = ['-c', `protocol.version=${version}`]
    await git(folder, ...protocol, 'clone', '-q', '--mirror', '-u', ourUploadPack, `file://${source}`, 'mirror.git')
    const refs = (path: string) => git(path, 'for-each-ref', '--format=%(objectname) %(refname)')
    t.equal(await refs(join(folder, 'mirror.git')), await refs(source))
    await git(join(folder, 'mirror.git'), 'fsck', '--strict')
    await git(folder, 'init', '-q', '--bare', 'target.git')
    await git(
      source,
      ...protocol,
      'push',
      '-q',
      '--mirror',
      `--receive-pack=${ourReceivePack}`,
      `file://${folder}/target.git`,
    )
    t.equal(await refs(join(folder, 'target.git')), await refs(source))
    await git(join(folder, 'target.git'), 'fsck', '--strict')
  })
}

t.test('paths are found as git finds them', async (t) => {
  const folder = temporaryFolder(t)
  await git(folder, 'init', '-q', '--bare', 'bare.git')
  await git(folder, 'init', '-q', 'work')
  mkdirSync(join(folder, 'file-link'))
  writeFileSync(join(folder, 'file-link/.git'), 'gitdir: ../bare.git\n')
  for (const path of ['bare.git', 'bare', 'work', 'work/.git', 'file-link', 'absent', '.']) {
    for (const strict of [[], ['--strict']]) {
      const args = ['upload-pack', '--advertise-refs', ...strict, join(folder, path)]
      const [ours, gits] = [await holdfast(args), await run('git', args)]
      t.equal(ours.status, gits.status, args.join(' '))
      if (gits.status !== 0)
        t.match(ours.stderr, `fatal: '${join(folder, path)}' does not appear to be a git repository`)
    }
  }
})

t.test('one request at a time, for a server in front', async (t) => {
  const folder = temporaryFolder(t)
  const source = join(folder, 'source.git')
  makeHistory(source, { seed: 72, commits: 10 })
  const tip = await git(source, 'rev-parse', 'main')
  const advertised = await holdfast(['upload-pack', '--stateless-rpc', '--http-backend-info-refs', source])
  t.match(advertised.stdout, new RegExp(`^[0-9a-f]{4}${tip} HEAD\\0.*symref=HEAD:refs/heads/main`))
  const v2 = await holdfast(['upload-pack', '--stateless-rpc', '--advertise-refs', source], {
    GIT_PROTOCOL: 'version=2',
  })
  t.match(v2.stdout, /^000eversion 2\n/)
  const request = '0014command=ls-refs\n0000'
  const listed = await holdfast(['upload-pack', '--stateless-rpc', source], { GIT_PROTOCOL: 'version=2' }, request)
  t.match(listed.stdout, `${tip} HEAD\n`)
  const nothing = await holdfast(['receive-pack', '--stateless-rpc', source], {}, '0000')
  t.same([nothing.status, nothing.stdout], [0, ''])
  const wants = await holdfast(['receive-pack', '--stateless-rpc', '--http-backend-info-refs', source])
  t.match(wants.stdout, 'report-status')
})

t.test('what cannot be served is said in a sentence, to the client as well', async (t) => {
  const folder = temporaryFolder(t)
  await git(folder, 'init', '-q', '--bare', '--object-format=sha256', 'sha256.git')
  const refused = await tryGit(folder, 'clone', '-u', ourUploadPack, `file://${folder}/sha256.git`, 'copy')
  t.match(refused.stderr, /remote error: The repository at .* uses SHA-256 object ids/)
  t.notOk(existsSync(join(folder, 'copy')))
  await git(folder, 'init', '-q', '--bare', 'wrong.git')
  writeFileSync(join(folder, 'wrong.git/config'), '[core]\nbare = true\n[broken\n')
  const wrong = await holdfast(['upload-pack', join(folder, 'wrong.git')])
  t.equal(wrong.status, 128)
  t.match(wrong.stderr, /fatal: bad config line 3 in file .*wrong.git\/config/)
  for (const args of [['upload-pack'], ['upload-pack', '--nonsense', folder], ['receive-pack', 'a', 'b']]) {
    const { status, stderr } = await holdfast(args)
    t.equal(status, 129, args.join(' '))
    t.match(stderr, /^usage: holdfast (upload|receive)-pack/)
  }
})

t.test('a silent client is left after the timeout', async (t) => {
  const folder = temporaryFolder(t)
  await git(folder, 'init', '-q', '--bare', 'r.git')
  const child = spawn(process.execPath, [main, 'upload-pack', '--timeout=1', join(folder, 'r.git')])
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  child.stdout.resume()
  const [status] = await once(child, 'close')
  t.equal(status, 128)
  t.match(stderr, /silent for too long/)
})

t.test('who takes what is sent is not silent, however long it takes', async (t) => {
  const folder = temporaryFolder(t)
  await git(folder, 'init', '-q', 'work')
  const work = join(folder, 'work')
  writeFileSync(join(work, 'large'), randomBytes(6_000_000))
  await git(work, 'add', '.')
  await git(work, 'commit', '-qm', 'Large')
  const child = spawn(process.execPath, [main, 'upload-pack', '--timeout=2', work])
  const id = await git(work, 'rev-parse', 'HEAD')
  child.stdin.write(`0040want ${id} side-band-64k\n`)
  child.stdin.write('00000009done\n')
  // Three seconds for all of it.
  const reading = setInterval(() => child.stdout.read(Math.min(child.stdout.readableLength, 100_000)), 50)
  const [status] = await once(child, 'close')
  clearInterval(reading)
  t.equal(status, 0)
})

t.test('nothing of a server is loaded', async (t) => {
  const folder = temporaryFolder(t)
  await git(folder, 'init', '-q', '--bare', 'r.git')
  const probe = `
    import { registerHooks } from 'node:module'
    const seen = []
    registerHooks({ load: (url, context, next) => { seen.push(url); return next(url, context) } })
    process.argv = ['node', 'main.ts', process.env.SERVICE, process.env.DIRECTORY]
    await import('file://' + process.env.MAIN)
    const packages = seen.filter((url) => /node_modules\\/(?!lru-cache)/.test(url))
    process.stderr.write(packages.join('\\n'))`
  for (const service of ['upload-pack', 'receive-pack']) {
    const env = { SERVICE: service, DIRECTORY: join(folder, 'r.git'), MAIN: main }
    const ran = await run(process.execPath, ['--input-type=module', '-e', probe], { env, stdin: '0000' })
    t.same([ran.status, ran.stderr], [0, ''])
  }
})
