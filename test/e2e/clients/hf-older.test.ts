/** The `hf` command of older lines of huggingface_hub: what people use most, against both deployments. */
import t from 'tap'
import { temporaryFolder } from '../../support/git.ts'
import { inBothDeployments } from '../../support/test-server.ts'
import { type CallsByVersion, type Case, checkTable, hubLines, runCases } from './calls.ts'
import { branches, createHfUser, downloads, type HfUser, logIn, tags, uploads } from './hf-command.ts'

const [, ...olderLines] = hubLines
const calls: CallsByVersion = Object.fromEntries(olderLines.map(({ version }) => [version, []]))

inBothDeployments(t, 'hf of older lines', async (t, { servers }) => {
  const folder = temporaryFolder(t, 'hf-older')
  t.jobs = olderLines.length
  await Promise.all(
    olderLines.map((line) =>
      t.test(line.version, async (t) => {
        const user = await createHfUser(servers, line, folder)
        const cases = line.version.startsWith('0.') ? casesOf0(user) : casesOf1(user)
        calls[line.version].push(...(await runCases(t, [logIn(user), ...cases])))
      }),
    ),
  )
})

t.test('the table of calls in the README', async (t) => checkTable(t, 'hf of older lines', calls))

/** Deleting does not ask yet. */
function casesOf1(user: HfUser): Case[] {
  const { hf, repo } = user
  return [
    ['hf repos create', 'makes a model', async () => void (await hf('repos', 'create', repo))],
    ...uploads(user),
    ...downloads(user),
    ...branches(user),
    ...tags(user),
    ['hf repos delete', 'deletes a repository', async () => void (await hf('repos', 'delete', repo))],
  ]
}

/** The word is `repo`, and branches and deleting are no commands yet. */
function casesOf0(user: HfUser): Case[] {
  const { hf, repo } = user
  return [
    ['hf repo create', 'makes a model', async () => void (await hf('repo', 'create', repo))],
    ...uploads(user),
    ...downloads(user),
    ...tags(user, 'repo'),
    ['hf repo-files delete', 'deletes a file', async () => void (await hf('repo-files', 'delete', repo, 'file.txt'))],
  ]
}
