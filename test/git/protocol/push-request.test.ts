/** The head of a push, at and beyond the limits. Whole pushes are tested in receive-pack.test.ts. */
import t from 'tap'
import { nullId } from '../../../src/git/object-id.ts'
import { dataPacket, flushPacket, PacketReader } from '../../../src/git/protocol/pkt-line.ts'
import { emptyPushHead, parsePushHead, refuseNames } from '../../../src/git/protocol/push-request.ts'

const limits = {
  gitCommandsMax: 3,
  gitShallowMax: 2,
  gitPushOptionsMax: 2,
  gitPushOptionMaxBytes: 10,
  gitRefNameMaxBytes: 20,
}
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
  t.match(head, { reportVersion: 2, sideBand: 65_515, atomic: true, isQuiet: true })
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
  t.same((await parse(...three, '1234567890', '0000')).head.pushOptions, ['1234567890'])
  const long = (await parse(...three, '12345678901', '0000')).error
  t.match(long, { code: 'InputTooLarge', message: "The push option '12345678901…' is longer than 10 bytes." })
  t.match((await parse(...three, '1\x002', '0000')).error, { code: 'InputInvalid' }, 'cannot be kept')
})

t.test('an error comes with what is needed to answer it', async (t) => {
  const { head, error } = await parse(`${a} ${b} refs/heads/x\0side-band-64k report-status`, 'push-bert', '0000')
  t.match(error, { code: 'InputInvalid', message: "protocol error: expected old/new/ref, got 'push-bert'" })
  t.match(head, { sideBand: 65_515, reportVersion: 1 })
  for (const line of [`${a} ${b}`, `${a} ${b} `, `${a}  ${b} refs/heads/x`, `${a.toUpperCase()} ${b} refs/heads/x`]) {
    t.match((await parse(line, '0000')).error, { code: 'InputInvalid' }, line)
  }
  t.match((await parse(`${a} ${b} refs/heads/x`)).error, { code: 'InputTruncated' })
  t.match(await parse('0000'), { error: undefined, head: { commands: [] } })
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

t.test('the commits at which a shallow clone ends', async (t) => {
  const command = `${a} ${b} refs/heads/x\0report-status`
  const { head } = await parse(`shallow ${a}`, `shallow ${b}\n`, command, '0000')
  t.same(head.shallowIds, [a, b])
  t.equal(head.commands.length, 1)
  const three = await parse(`shallow ${a}`, `shallow ${b}`, `shallow ${a}`, command, '0000')
  t.match(three.error, { code: 'InputTooLarge', message: 'More than 2 shallow commits.' })
  t.match((await parse('shallow 12', command, '0000')).error.message, "expected shallow sha, got 'shallow 12'")
})

t.test('what a client says of itself is taken; another object format is refused by its name', async (t) => {
  const capabilities = 'agent=git/2.39.5-Linux session-id=2f9a object-format=sha1 unknown=x'
  t.equal((await parse(`${a} ${b} refs/heads/x\0${capabilities}`, '0000')).error, undefined)
  const { error } = await parse(`${a} ${b} refs/heads/x\0object-format=sha256`, '0000')
  t.match(error, { code: 'InputInvalid', message: 'This server keeps sha1 repositories; sha256 was asked for.' })
})

const certificate = [
  'push-cert\0report-status push-options',
  'certificate version 0.1\n',
  'pusher Ada <ada@example.org> 1700000000 +0000\n',
  'pushee https://example.org/ada/model\n',
  'nonce 17-ab\n',
  'push-option ci.skip\n',
  '\n',
  `${a} ${b} refs/heads/x\n`,
  `${nullId} ${b} refs/heads/y\n`,
  '-----BEGIN SSH SIGNATURE-----\n',
  'AAAA\n',
  '-----END SSH SIGNATURE-----\n',
  'push-cert-end\n',
  '0000',
]

t.test('a certificate is the list of commands', async (t) => {
  const { head, error } = await parse(...certificate, 'ci.skip', '0000')
  t.equal(error, undefined)
  t.same(
    head.commands.map(({ name }) => name),
    ['refs/heads/x', 'refs/heads/y'],
  )
  t.match(head, { isConsistent: true, reportVersion: 1, pushOptions: ['ci.skip'] })
  t.match(head.certificate, {
    pusher: 'Ada <ada@example.org> 1700000000 +0000',
    pushee: 'https://example.org/ada/model',
    nonce: '17-ab',
  })
  t.equal(head.certificate?.bytes.toString(), certificate.slice(1, -2).join(''))
  t.equal((await parse(...certificate, 'another', '0000')).head.isConsistent, false)
})

t.test('certificates that are none', async (t) => {
  const but = (start: number, removed: number, ...added: string[]) => certificate.toSpliced(start, removed, ...added)
  const message = async (lines: string[]) => (await parse(...lines)).error?.message
  t.match(await message(certificate.slice(0, 9)), 'The request ended')
  t.match(await message([...certificate.slice(0, 9), '0000']), 'got an unexpected packet in the push certificate')
  t.match(await message(but(6, 1)), 'malformed push certificate')
  t.match(await message(but(9, 3)), 'the push certificate is not signed')
  t.match(await message(but(8, 1, 'nonsense\n')), "expected old/new/ref, got 'nonsense'")
  t.match(await message(but(1, 1, 'certificate\0version 0.1\n')), 'malformed push certificate')
  t.match(await message(but(13, 0, `${a} ${b} refs/heads/z`)), 'got both push certificate and unsigned commands')
})
