/** The head of a push, at and beyond the limits. Whole pushes are tested in receive-pack.test.ts. */
import t from 'tap'
import { nullId } from '../../../src/git/object-id.ts'
import { dataPacket, flushPacket, PacketReader } from '../../../src/git/protocol/pkt-line.ts'
import { emptyPushHead, parsePushHead, refuseNames } from '../../../src/git/protocol/push-request.ts'
import { writeReport } from '../../../src/git/protocol/report-status.ts'

const limits = { gitCommandsMax: 3, gitPushOptionsMax: 2, gitRefNameMaxBytes: 20 }
const [a, b] = ['a'.repeat(40), 'b'.repeat(40)]

async function parse(...lines: string[]) {
  const bytes = Buffer.concat(lines.map((line) => (line === '0000' ? flushPacket : dataPacket(line))))
  const stream = (async function* () {
    yield bytes
  })()
  const head = emptyPushHead()
  const error = await parsePushHead(new PacketReader(stream, 1_000_000), limits, head).then(
    () => undefined,
    (error) => error,
  )
  return { head, error }
}

t.test('creates, updates and deletes; null ids are no ids', async (t) => {
  const { head } = await parse(
    `${nullId} ${a} refs/heads/new\0 report-status-v2 side-band-64k atomic quiet`,
    `${a} ${b} refs/heads/main\n`,
    `${b} ${nullId} refs/heads/old`,
    '0000',
  )
  t.same(head.commands, [
    { name: 'refs/heads/new', oldId: undefined, newId: a },
    { name: 'refs/heads/main', oldId: a, newId: b },
    { name: 'refs/heads/old', oldId: b, newId: undefined },
  ])
  t.match(head, { wantsReport: true, sideBand: 65_515, atomic: true, isQuiet: true })
})

t.test('refs and push options up to their limits', async (t) => {
  const command = `${a} ${b} refs/heads/x`
  const three = [`${command}\0push-options`, command, command, '0000']
  const { head, error } = await parse(...three, 'ci.skip\n', 'größe', '0000')
  t.equal(error, undefined)
  t.equal(head.commands.length, 3)
  t.same(head.pushOptions.slice(0, 1), ['ci.skip'])
  t.match((await parse(command, ...three)).error, { code: 'InputTooLarge', message: 'More than 3 refs in one push.' })
  const many = await parse(...three, '1', '2', '3', '0000')
  t.match(many.error, { code: 'InputTooLarge', message: 'More than 2 push options.' })
  t.match((await parse(...three, '1')).error, { code: 'InputTruncated' })
})

t.test('an error comes with what is needed to answer it', async (t) => {
  const { head, error } = await parse(`${a} ${b} refs/heads/x\0side-band-64k report-status`, 'push-cert', '0000')
  t.match(error, { code: 'InputInvalid', message: "protocol error: expected old/new/ref, got 'push-cert'" })
  t.match(head, { sideBand: 65_515, wantsReport: true })
  for (const line of [`${a} ${b}`, `${a} ${b} `, `${a}  ${b} refs/heads/x`, `${a.toUpperCase()} ${b} refs/heads/x`]) {
    t.match((await parse(line, '0000')).error, { code: 'InputInvalid' }, line)
  }
  t.match((await parse(`${a} ${b} refs/heads/x`)).error, { code: 'InputTruncated' })
  t.match(await parse('0000'), { error: undefined, head: { commands: [] } })
  t.match((await parse(`shallow ${a}`, `${a} ${b} refs/heads/x`, '0000')).head.commands.length, 1)
})

t.test('names that cannot stand, and those that can as long as they are', (t) => {
  const command = (name: string, newId: string | undefined = b) => ({ name, oldId: a, newId }) as never
  const reasons = (...commands: never[]) =>
    Object.fromEntries(refuseNames(commands, limits).map(({ name, reason }) => [name, reason]))
  const [fits, long] = [`refs/heads/${'x'.repeat(9)}`, `refs/heads/${'x'.repeat(10)}`]
  t.same(reasons(command(fits), command(long)), { [long]: 'funny refname' })
  t.same(reasons(command('refs/heads/a..b'), command('refs/heads/a.lock')), {
    'refs/heads/a..b': 'funny refname',
    'refs/heads/a.lock': 'funny refname',
  })
  const twice = { 'refs/heads/x': 'multiple updates for ref not allowed' }
  t.same(reasons(command('refs/heads/x'), command('refs/heads/y'), command('refs/heads/x')), twice)
  t.end()
})

t.test('a report keeps to its lines, whatever the reasons are', (t) => {
  const results = [
    { name: 'refs/heads/a', reason: undefined },
    { name: 'refs/heads/b', reason: 'größer als\n  erlaubt' },
    { name: 'refs/heads/c', reason: 'x'.repeat(100_000) },
  ]
  const text = writeReport({ unpack: 'ok', results }).toString()
  t.match(
    text,
    /^000eunpack ok\n0014ok refs\/heads\/a\n00..ng refs\/heads\/b größer als erlaubt\nfff0ng refs\/heads\/c x+\n0000$/,
  )
  t.end()
})
