/**
 * A server or a command as embedded PostgreSQL sees them: `embedded-holder.ts <data folder> server|command` attaches,
 * prints the url or the refusal as one line of JSON, and leaves when its standard input ends.
 */
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.ts'
import { createLogger } from '../../src/logger.ts'

const [dataDir, role] = process.argv.slice(2)
const print = (answer: Record<string, string>) => process.stdout.write(`${JSON.stringify(answer)}\n`)

try {
  const postgres = await startEmbeddedPostgres({ dataDir, logger: createLogger('silent') })
  try {
    if (role === 'server') await postgres.claimExclusive()
    print({ url: postgres.url })
    for await (const _ of process.stdin);
  } finally {
    await postgres.close()
  }
} catch (error) {
  print({ refusal: (error as Error).message })
}
