import t from 'tap'
import { readConfig } from '../../src/config.ts'
import { checkLink, type LinkTarget, linksPath, signLink } from '../../src/hub/signed-links.ts'

const config = readConfig({ PUBLIC_URL: 'https://hub.example' })
const hub = { config, secret: Buffer.alloc(32, 1) }
const target: LinkTarget = { method: 'PUT', parts: ['lfs', 'uploads', 'x'] }

function queryOf(link: string): { expires: string; signature: string } {
  return Object.fromEntries(new URL(link).searchParams) as { expires: string; signature: string }
}

t.test('a link is good for what it was signed for', async (t) => {
  const link = signLink(hub, target, 60)
  t.equal(new URL(link).origin + new URL(link).pathname, `https://hub.example${linksPath}/lfs/uploads/x`)
  checkLink(hub, target, queryOf(link))
  const get: LinkTarget = { method: 'GET', parts: ['a'] }
  checkLink(hub, { ...get, method: 'HEAD' }, queryOf(signLink(hub, get, 60)))
})

t.test('and for nothing else', async (t) => {
  const query = queryOf(signLink(hub, target, 60))
  const wrong = { code: 'LinkInvalid' }
  const flipped = (query.signature[0] === 'A' ? 'B' : 'A') + query.signature.slice(1)
  t.throws(() => checkLink(hub, { ...target, method: 'GET' }, query), wrong, 'method')
  t.throws(() => checkLink(hub, { ...target, parts: ['lfs', 'uploads', 'y'] }, query), wrong, 'another path')
  t.throws(() => checkLink(hub, { ...target, parts: ['lfs', 'uploads/x'] }, query), wrong, 'parts joined')
  t.throws(() => checkLink(hub, target, { ...query, expires: String(Number(query.expires) + 1) }), wrong, 'expiry')
  t.throws(() => checkLink(hub, target, { ...query, signature: flipped }), wrong, 'signature')
  t.throws(() => checkLink(hub, target, { ...query, signature: query.signature.slice(1) }), wrong, 'short')
  t.throws(() => checkLink(hub, target, {}), wrong, 'none')
  t.throws(() => checkLink({ ...hub, secret: Buffer.alloc(32, 2) }, target, query), wrong, 'secret')
})

t.test('until it expires', async (t) => {
  t.throws(() => checkLink(hub, target, queryOf(signLink(hub, target, 0))), { code: 'LinkInvalid' })
  t.throws(() => checkLink(hub, target, queryOf(signLink(hub, target, -5))), { code: 'LinkInvalid' })
})
