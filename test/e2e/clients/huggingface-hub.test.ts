/** Three lines of huggingface_hub, call by call, against both deployments. */
import { join } from 'node:path'
import t from 'tap'
import { temporaryFolder } from '../../support/git.ts'
import { createAccount, inBothDeployments } from '../../support/test-server.ts'
import { type CallsByVersion, cache, checkTable, clientEnvironment, hubLines, runCalls } from './calls.ts'

const calls: CallsByVersion = Object.fromEntries(hubLines.map(({ version }) => [version, []]))

inBothDeployments(t, 'huggingface_hub', async (t, { servers }) => {
  const [first] = servers
  const last = servers[servers.length - 1]
  const folder = temporaryFolder(t, 'clients')
  t.jobs = hubLines.length
  const other = await createAccount(first, 'mallory')
  await Promise.all(
    hubLines.map(({ version, environment }) =>
      t.test(version, async (t) => {
        const user = `ada-${version}`
        const account = await createAccount(first, user)
        await first.holdfast('org', 'create', `org-${version}`, '--owner', user)
        const results = await runCalls(t, {
          program: join(cache, environment, 'bin/python'),
          args: [join(import.meta.dirname, 'huggingface_hub_calls.py')],
          env: clientEnvironment(last, account, join(folder, version)),
          input: {
            user,
            other,
            org: `org-${version}`,
            readToken: await first.holdfast('token', 'create', user, '--role', 'read'),
          },
        })
        calls[version].push(...results)
      }),
    ),
  )
})

t.test('the table of calls in the README', async (t) => checkTable(t, 'huggingface_hub', calls))
