/** Nonces of signed pushes. Those that clients sign are tested in hub/push-certificates.test.ts. */
import { join } from 'node:path'
import t from 'tap'
import { checkPushNonce, formatPushNonce } from '../../../src/git/protocol/push-nonce.ts'
import { git, temporaryFolder } from '../../support/git-client.ts'

const key = { seed: 'seed', repository: '/srv/repo.git' }
const window = { nowSeconds: 1_700_000_100, slopSeconds: 60 }
const check = (nonce: string | undefined) => checkPushNonce(nonce, key, window)

t.test('a nonce holds for its time and its repository', async (t) => {
  t.equal(check(formatPushNonce(key, 1_700_000_100)), 'ok')
  t.equal(check(formatPushNonce(key, 1_700_000_040)), 'ok')
  t.equal(check(formatPushNonce(key, 1_700_000_160)), 'ok', 'a server whose clock is ahead')
  t.equal(check(formatPushNonce(key, 1_700_000_039)), 'slop')
  t.equal(check(formatPushNonce({ ...key, repository: '/srv/other.git' }, 1_700_000_100)), 'bad')
  t.equal(check(formatPushNonce({ ...key, seed: 'other' }, 1_700_000_100)), 'bad')
})

t.test("a nonce is the one of git's own receive-pack", async (t) => {
  const folder = join(temporaryFolder(t), 'repo.git')
  await git('/', 'init', '-q', '--bare', folder)
  const args = ['-c', 'receive.certNonceSeed=some seed', 'receive-pack', '--http-backend-info-refs', folder]
  const [, nonce, seconds] = / push-cert=((\d+)-[0-9a-f]+)/.exec(await git('/', ...args)) ?? []
  t.equal(formatPushNonce({ seed: 'some seed', repository: folder }, Number(seconds)), nonce)
})

t.test('what is no nonce', async (t) => {
  t.equal(check(undefined), 'missing')
  t.equal(check(''), 'missing')
  for (const nonce of ['x', '-', '1700000100', '1700000100-', '1700000100-ab', `1e9-${'a'.repeat(40)}`]) {
    t.equal(check(nonce), 'bad', nonce)
  }
})
