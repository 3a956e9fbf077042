/** Nonces of signed pushes; those of git's own receive-pack are compared in hub/push-certificates.test.ts. */
import t from 'tap'
import { checkPushNonce, formatPushNonce } from '../../../src/git/protocol/push-nonce.ts'

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

t.test('what is no nonce', async (t) => {
  t.equal(check(undefined), 'missing')
  t.equal(check(''), 'missing')
  for (const nonce of ['x', '-', '1700000100', '1700000100-', '1700000100-ab', `1e9-${'a'.repeat(40)}`]) {
    t.equal(check(nonce), 'bad', nonce)
  }
})
