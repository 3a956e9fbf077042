/** Signed pushes: hooks are told what git tells them, but for the signature itself, which they check. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../support/git.ts'
import { git, makeHistory, temporaryFolder } from '../support/git-client.ts'
import { pushToBoth } from '../support/git-services.ts'

t.test('the certificate is kept, its nonce judged', async (t) => {
  const folder = temporaryFolder(t)
  const client = join(folder, 'client.git')
  makeHistory(client, { seed: 101, commits: 5 })
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')])
  await git(client, 'config', 'gpg.format', 'ssh')
  await git(client, 'config', 'user.signingKey', join(folder, 'key.pub'))
  const server = join(folder, 'server.git')
  await git(folder, 'init', '-q', '--bare', server)
  await git(server, 'config', 'receive.certNonceSeed', 'a secret')
  // Without it a push that takes a second longer than the other is told another status.
  await git(server, 'config', 'receive.certNonceSlop', '600')
  const hook = join(server, 'hooks/post-receive')
  const shown = 'env | grep -E "^GIT_PUSH_CERT_(NONCE|SIGNER)" | sed "s/=[0-9]*-[0-9a-f]*$/=nonce/" | sort > seen'
  writeFileSync(hook, `#!/bin/sh\n${shown}\ngit cat-file blob "$GIT_PUSH_CERT" > certificate\n`)
  chmodSync(hook, 0o755)
  const [gits, ours] = await pushToBoth(client, server, ['--signed=yes', 'main'])
  t.same({ ...ours, stderr: '' }, { ...gits, stderr: '' }, ours.stderr)
  const read = (copy: string, file: string) => readFileSync(join(`${server}.${copy}`, file), 'utf8')
  t.match(read('our-copy', 'seen'), 'GIT_PUSH_CERT_NONCE=nonce\nGIT_PUSH_CERT_NONCE_STATUS=OK\n')
  const nonces = (text: string) => text.split('\n').filter((line) => !line.startsWith('GIT_PUSH_CERT_SIGNER'))
  t.same(nonces(read('our-copy', 'seen')), nonces(read('git-copy', 'seen')))
  t.match(
    read('our-copy', 'certificate'),
    /^certificate version 0.1\npusher .*\npushee .*our-copy\nnonce \d+-[0-9a-f]{40}\n/,
  )
  await git(server, 'config', '--unset', 'receive.certNonceSeed')
  const [without, unsigned] = await pushToBoth(client, `${server}`, ['--signed=yes', 'main:again'])
  t.equal(unsigned.status, without.status)
})
