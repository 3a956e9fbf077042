/** Log lines go to standard error, where commands print nothing that a script reads, and hold no secret. */
import t from 'tap'
import { run } from './support/git.ts'

const logger = new URL('../src/logger.ts', import.meta.url).href

t.test('secrets are cut out, and standard output stays free', async (t) => {
  const program = `
    const { createLogger } = await import('${logger}')
    const logger = createLogger('info')
    const headers = { authorization: 'Basic SECRET', cookie: 'session=SECRET', accept: 'kept' }
    logger.info({ req: { headers }, password: 'SECRET', token: 'SECRET', authorization: 'SECRET' }, 'one')
    logger.warn({ headers, err: new Error('two failed') }, 'two')
    logger.debug('unheard')`
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', program])
  t.equal(stdout, '')
  t.notMatch(stderr, 'SECRET')
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(lines, [
    { msg: 'one', req: { headers: { accept: 'kept' } }, password: '[redacted]', token: '[redacted]' },
    { msg: 'two', err: { message: 'two failed', stack: /two failed/ } },
  ])
  t.equal(lines.length, 2)
})
