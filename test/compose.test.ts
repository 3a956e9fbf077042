/** Opening and closing everything: what cannot be opened is a sentence, and leaves nothing open. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { openHub, startServer, startWorker } from '../src/compose.ts'
import { readConfig } from '../src/config.ts'
import { createLogger } from '../src/logger.ts'
import { temporaryFolder } from './support/git.ts'
import { createTestDatabase } from './support/postgres.ts'

const logger = createLogger('silent')

async function openScene(t: Test) {
  const { url, database } = await createTestDatabase(t)
  const settings = { DATABASE_URL: url, DATA_DIR: temporaryFolder(t, 'compose'), PORT: '0' }
  return {
    config: (more: Record<string, string> = {}) => readConfig({ ...settings, ...more }),
    /** Resolves once no connection but the test's own is left; a leak runs into the test's timeout. */
    async allClosed() {
      for (;;) {
        const [{ others }] = await database.query<{ others: number }>(
          `select count(*)::int as others from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
        )
        if (others === 0) return true
      }
    },
  }
}

t.test('what was opened is closed again, and can be opened once more', async (t) => {
  const { config, allClosed } = await openScene(t)
  for (const open of [openHub, startWorker, startServer]) {
    const { hub, close } = await open(config(), { logger })
    t.same(await hub.database.query('select 1 as one'), [{ one: 1 }])
    await close()
    t.ok(await allClosed(), open.name)
    await t.resolves(close(), 'closing twice is closing')
  }
})

t.test('a port that is taken is said in a sentence, and everything is closed', async (t) => {
  const { config, allClosed } = await openScene(t)
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  t.teardown(() => squatter.close())
  const { port } = squatter.address() as AddressInfo
  await t.rejects(startServer(config({ PORT: String(port) }), { logger }), {
    code: 'Conflict',
    message: `Holdfast cannot listen on 127.0.0.1:${port}: address already in use. Set HOST and PORT.`,
  })
  t.ok(await allClosed())
})

t.test('an object store that does not answer is said in a sentence, and everything is closed', async (t) => {
  const { config, allClosed } = await openScene(t)
  const s3 = { S3_ENDPOINT: 'http://127.0.0.1:1', S3_ACCESS_KEY: 'a', S3_SECRET_KEY: 'b' }
  await t.rejects(openHub(config(s3), { logger }), {
    code: 'Unavailable',
    message: /^Cannot use bucket "holdfast" of the object store at http:..127.0.0.1:1: .*Check the S3_… settings\.$/,
  })
  const path = config({ ...s3, S3_ENDPOINT: 'http://127.0.0.1:1/below' })
  await t.rejects(openHub(path, { logger }), { code: 'InputInvalid', message: /without a path/ })
  t.ok(await allClosed())
})
