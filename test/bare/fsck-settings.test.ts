/** `receive.fsckObjects` and `receive.fsck.*`: the same objects refused by git and by us. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../support/git.ts'
import { git, temporaryFolder } from '../support/git-client.ts'
import { pushToBoth } from '../support/git-services.ts'

t.test('what is refused, told and taken', async (t) => {
  const folder = temporaryFolder(t)
  const client = join(folder, 'client.git')
  await git(folder, 'init', '-q', '--bare', client)
  const write = async (type: string, text: string) => {
    const { stdout } = await run('git', ['hash-object', '-t', type, '-w', '--literally', '--stdin'], {
      cwd: client,
      stdin: text,
    })
    return stdout.trim()
  }
  const tree = await git(client, 'hash-object', '-t', 'tree', '-w', '/dev/null')
  const who = 'A <a@example.org> 1700000000 +0000'
  const commits = {
    sound: await write('commit', `tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nsound\n`),
    email: await write('commit', `tree ${tree}\nauthor A 1700000000 +0000\ncommitter ${who}\n\nno email\n`),
    zone: await write(
      'commit',
      `tree ${tree}\nauthor ${who}\ncommitter A <a@example.org> 1700000000 +051800\n\nzone\n`,
    ),
  }
  for (const [name, id] of Object.entries(commits)) await git(client, 'update-ref', `refs/heads/${name}`, id)
  writeFileSync(join(folder, 'skip'), `# known\n${commits.email}\n`)
  for (const config of [
    [],
    ['receive.fsckObjects=true'],
    ['transfer.fsckObjects=true'],
    ['transfer.fsckObjects=true', 'receive.fsckObjects=false'],
    ['receive.fsckObjects=true', 'receive.fsck.missingEmail=ignore'],
    ['receive.fsckObjects=true', 'receive.fsck.MISSINGEMAIL=warn', 'receive.fsck.badTimezone=ignore'],
    ['receive.fsckObjects=true', `receive.fsck.skipList=${folder}/skip`],
    ['receive.fsckObjects=true', 'receive.fsck.nonsense=warn'],
  ]) {
    const server = join(folder, `${config.join(',').replaceAll('/', '_')}-server.git`)
    mkdirSync(server)
    await git(folder, 'init', '-q', '--bare', server)
    for (const setting of config) await git(server, 'config', ...setting.split('='))
    for (const name of Object.keys(commits)) {
      const [gits, ours] = await pushToBoth(client, server, [name])
      const outcome = ({ status, refs }: typeof ours) => ({ status, refs })
      t.same(outcome(ours), outcome(gits), `${config.join(' ')}: ${name}: ${ours.stderr} / ${gits.stderr}`)
      await run('rm', ['-rf', `${server}.our-copy`, `${server}.git-copy`])
    }
  }
})
