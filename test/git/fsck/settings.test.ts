import t from 'tap'
import { messageIds, messageTypes } from '../../../src/git/fsck/messages.ts'
import { hostedSettings, parseSkipList, strictSettings, withSeverities } from '../../../src/git/fsck/settings.ts'

t.test('severities are those of receive.fsckObjects, and can be changed one by one', async (t) => {
  for (const id of messageIds) {
    const severity = { fatal: 'error', error: 'error', warn: 'error', info: 'warn', ignore: 'ignore' }[messageTypes[id]]
    t.equal(strictSettings.severities[id], severity, id)
  }
  const changed = withSeverities(strictSettings, { MissingEmail: 'ignore', badfilemode: 'error' })
  t.match(changed.severities, { missingEmail: 'ignore', badFilemode: 'error', badName: 'error' })
  t.equal(strictSettings.severities.missingEmail, 'error', 'the settings that were changed stay')
  t.equal(hostedSettings.severities.zeroPaddedFilemode, 'warn')
})

t.test('what cannot be set', async (t) => {
  t.throws(() => withSeverities(strictSettings, { noSuchThing: 'warn' }), {
    message: 'Unhandled message id: noSuchThing',
  })
  t.throws(() => withSeverities(strictSettings, { badName: 'loud' }), { message: "Unknown fsck message type: 'loud'" })
  t.throws(() => withSeverities(strictSettings, { nulInHeader: 'warn' }), {
    message: 'Cannot demote nulInHeader to warn',
  })
})

t.test('a skip list names objects, a line each', async (t) => {
  const [a, b] = ['a'.repeat(40), 'b'.repeat(40)]
  t.same(parseSkipList(`# old mistakes\n${a}\n\n  ${b}  # a comment\n`), new Set([a, b]))
  t.throws(() => parseSkipList('abc\n'), { code: 'InputInvalid', message: 'Invalid object name: abc' })
})
