/** A hook that the system does not start at all. What hooks see and decide is compared with git's own in push.test.ts. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openBareRepository } from '../../src/bare/bare-repository.ts'
import { runHook } from '../../src/bare/hooks.ts'
import { git, temporaryFolder } from '../support/git-client.ts'

t.test('a hook that cannot be started has failed, in words', async (t) => {
  const path = join(temporaryFolder(t), 'r.git')
  await git('/', 'init', '-q', '--bare', path)
  const hook = join(path, 'hooks/post-update')
  writeFileSync(hook, '#!/bin/sh\n')
  chmodSync(hook, 0o755)
  const repository = await openBareRepository(path)
  t.teardown(() => repository.close())
  const printed: string[] = []
  const run = (args: string[]) => runHook(repository, 'post-update', { args, print: (text) => printed.push(text) })
  t.equal(await run(['refs/heads/main']), true)
  // No system takes that much.
  t.equal(await run(['a'.repeat(10_000_000)]), false)
  t.same(printed, [`error: cannot run ${hook}: spawn E2BIG\n`])
})
