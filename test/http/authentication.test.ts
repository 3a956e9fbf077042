import t from 'tap'
import { readCredentials } from '../../src/http/authentication.ts'

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

t.test('credentials', async (t) => {
  t.same(readCredentials(undefined), { kind: 'none' })
  t.same(readCredentials('Bearer hf_abc'), { kind: 'bearer', token: 'hf_abc' })
  t.same(readCredentials('bearer  hf_abc '), { kind: 'bearer', token: 'hf_abc' })
  t.same(readCredentials(basic('ada:hf_abc')), { kind: 'basic', user: 'ada', secret: 'hf_abc' })
  t.same(readCredentials(basic('ada:with:colons')), { kind: 'basic', user: 'ada', secret: 'with:colons' })
  t.same(readCredentials(basic(':hf_abc')), { kind: 'basic', user: '', secret: 'hf_abc' })
  t.same(readCredentials(basic('ünï:pässword')), { kind: 'basic', user: 'ünï', secret: 'pässword' })
})

t.test('what is none', async (t) => {
  for (const header of ['', 'Bearer', 'Bearer ', 'Digest x', basic('nocolon'), 'Bearer a b', 'hf_abc']) {
    t.throws(() => readCredentials(header), { code: 'CredentialsInvalid' }, header)
  }
})
