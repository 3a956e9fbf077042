/** Signed pushes and push options of real git, as they are kept. */
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { formatPushNonce } from '../../src/git/protocol/push-nonce.ts'
import { detailsOf, pushNonce } from '../../src/hub/push-certificates.ts'
import { run, temporaryFolder } from '../support/git.ts'
import { openPushScene, type PushScene } from '../support/push-scene.ts'

interface Details {
  options: string[]
  certificate: Buffer | null
  pusher: string | null
  nonce_status: string | null
}

/** A scene with a key that git signs with. */
async function openSigned(t: Test): Promise<PushScene & { details(): Promise<Details[]>; key: string }> {
  const scene = await openPushScene(t)
  const key = join(temporaryFolder(t), 'key')
  const made = await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ada', '-f', key])
  t.equal(made.status, 0, made.stderr)
  await chmod(key, 0o600)
  for (const [name, value] of [
    ['gpg.format', 'ssh'],
    ['user.signingKey', key],
  ]) {
    await scene.git('config', name, value)
  }
  const details = () =>
    scene.hub.database.query<Details>(
      'select options, certificate, pusher, nonce_status from push_details order by version',
    )
  return { ...scene, details, key }
}

t.test('group 35: a signed push is recorded with its certificate', async (t) => {
  const { git, commit, details, remoteRefs, key, folder } = await openSigned(t)
  const id = await commit('one')
  const pushed = await git('push', '--signed=if-asked', '-o', 'ci.skip', 'origin', 'main', 'main:refs/tags/v1')
  t.equal(pushed.status, 0, pushed.stderr)
  t.match(await remoteRefs(), `${id}\trefs/heads/main`)
  const [kept, ...others] = await details()
  t.equal(others.length, 0)
  t.match(kept, { options: ['ci.skip'], nonce_status: 'ok', pusher: /^\S+ +\d+ [+-]\d{4}$/ })
  const certificate = String(kept.certificate)
  t.match(certificate, /^certificate version 0\.1\npusher /)
  t.match(certificate, `\n${'0'.repeat(40)} ${id} refs/heads/main\n`)
  t.match(certificate, '\npush-option ci.skip\n')
  t.match(certificate, /^nonce \d+-[0-9a-f]{40}$/m)

  // What was kept is what was signed: whoever has the key can prove it.
  const split = certificate.indexOf('-----BEGIN SSH SIGNATURE-----')
  const signers = join(folder, '../signers')
  const signature = join(folder, '../signature')
  await writeFile(signers, `ada ${await readFile(`${key}.pub`, 'utf8')}`)
  await writeFile(signature, certificate.slice(split))
  const verify = ['-Y', 'verify', '-f', signers, '-I', 'ada', '-n', 'git', '-s', signature]
  const verified = await run('ssh-keygen', verify, { stdin: certificate.slice(0, split) })
  t.equal(verified.status, 0, verified.stderr)
})

t.test('group 35: push options reach the log, and end at their limits', async (t) => {
  const { git, commit, details } = await openSigned(t)
  await commit('one')
  t.equal((await git('push', '-o', 'a=1', '-o', 'größe', 'origin', 'main')).status, 0)
  t.equal((await git('push', 'origin', 'main:plain')).status, 0)
  t.match(await details(), [{ options: ['a=1', 'größe'], certificate: null, pusher: null, nonce_status: null }])
  const long = await git('push', '-o', 'x'.repeat(5000), 'origin', 'main:other')
  t.not(long.status, 0)
  t.match(long.stderr, /The push option 'x+…' is longer than 4096 bytes/)
  t.equal((await details()).length, 1)
})

t.test('a signed push that is refused is not recorded', async (t) => {
  const { git, commit, details } = await openSigned(t)
  await commit('one')
  t.equal((await git('push', '--signed=yes', 'origin', 'main')).status, 0)
  t.not((await git('push', '--signed=yes', 'origin', ':main')).status, 0)
  t.equal((await details()).length, 1)
})

t.test('a nonce holds for one repository, for minutes', async (t) => {
  const { hub, repo } = await openPushScene(t)
  const status = (nonce: string | undefined, of = repo) => {
    const certificate = { bytes: Buffer.from(''), pusher: undefined, pushee: undefined, nonce }
    return detailsOf(hub, of, { pushOptions: [], certificate })?.certificate?.nonceStatus
  }
  const nonce = pushNonce(hub, repo)
  t.equal(status(nonce), 'ok')
  t.equal(status(nonce, { ...repo, id: '999' as typeof repo.id }), 'bad')
  t.equal(status(undefined), 'missing')
  t.equal(status(formatPushNonce({ seed: hub.secret, repository: repo.id }, Math.floor(Date.now() / 1000))), 'bad')
  hub.config.limits.pushNonceSlopSeconds = -1
  t.equal(status(nonce), 'slop')
  t.equal(detailsOf(hub, repo, { pushOptions: [], certificate: undefined }), undefined)
})
