import t from 'tap'
import { parseProtocolVersion } from '../../../src/git/protocol/protocol-version.ts'

t.test('the highest version that we know', async (t) => {
  t.equal(parseProtocolVersion(undefined), 0)
  t.equal(parseProtocolVersion('version=0'), 0)
  t.equal(parseProtocolVersion('version=1'), 1)
  t.equal(parseProtocolVersion('version=2'), 2)
  t.equal(parseProtocolVersion('version=2:unknown=x'), 2)
  t.equal(parseProtocolVersion('unknown:version=1:version=2:version=7'), 2)
  t.equal(parseProtocolVersion('version=7'), 0)
  t.equal(parseProtocolVersion('version=22'), 0)
  t.equal(parseProtocolVersion('version=1, version=2'), 2, 'two headers')
  t.equal(parseProtocolVersion(''), 0)
})
