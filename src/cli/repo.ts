/** `holdfast repo`: repositories, as their owners' settings pages would change them. */
import { createInterface } from 'node:readline/promises'
import { Argument, type Command, Option } from 'commander'
import { HoldfastError } from '../errors.ts'
import { operator } from '../hub/principal.ts'
import { type RepoType, repoPath, repoTypes } from '../hub/repo.ts'
import { createRepo, deleteRepo, type RepoListOptions, repoUrl } from '../hub/repos.ts'
import { allRepos, openNamedRepo, repoArgument, splitPath } from './arguments.ts'
import { formatTime, print, printTable } from './output.ts'
import { addRuleCommands } from './repo-rules.ts'
import { addRepoSettingCommands } from './repo-settings.ts'
import { withHub } from './with-hub.ts'

/** Adds `repo` and its commands. */
export function addRepoCommands(program: Command): void {
  const repo = program.command('repo').description('make, list, change and delete repositories')
  addCreate(repo)
  addList(repo)
  addDelete(repo)
  addRepoSettingCommands(repo)
  addRuleCommands(repo)
}

function addCreate(repo: Command): void {
  repo
    .command('create')
    .description('make an empty repository; prints its URL')
    .addArgument(new Argument('<type>', 'what it holds').choices(repoTypes))
    .argument('<namespace/name>', 'the user or organization it belongs to, and its name')
    .option('--private', 'only for its owner, members and collaborators', false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast repo create model ann/first-model\n  $ holdfast repo create dataset acme/reviews --private',
    )
    .action(async (type: RepoType, path: string, options: { private: boolean }) => {
      const [namespace, name] = splitPath(path)
      await withHub(async (hub) => {
        const visibility = options.private ? 'private' : 'public'
        print(repoUrl(hub, await createRepo(hub, operator, { type, namespace, name }, visibility)))
      })
    })
}

function addList(repo: Command): void {
  repo
    .command('list')
    .description('print a table of all repositories, newest first')
    .addOption(new Option('--type <type>', 'only this type').choices(repoTypes))
    .option('--namespace <name>', 'only those of this user or organization')
    .option('--search <text>', 'only those with this text in namespace/name')
    .addHelpText('after', '\nExamples:\n  $ holdfast repo list\n  $ holdfast repo list --type dataset --namespace acme')
    .action(async (options: RepoListOptions) => {
      await withHub(async (hub) => {
        const rows: string[][] = []
        for await (const each of allRepos(hub, options)) {
          const times = [each.createdAt, each.updatedAt].map(formatTime)
          rows.push([repoPath(each), each.type, each.visibility, ...times])
        }
        printTable(['REPOSITORY', 'TYPE', 'VISIBILITY', 'CREATED', 'UPDATED'], rows)
      })
    })
}

function addDelete(repo: Command): void {
  repo
    .command('delete')
    .description('delete a repository for good; prints its path')
    .argument('<repo>', repoArgument)
    .option('--yes', 'do not ask', false)
    .addHelpText('after', '\nExample:\n  $ holdfast repo delete datasets/acme/reviews --yes')
    .action(async (path: string, { yes }: { yes: boolean }) => {
      await withHub(async (hub) => {
        const found = await openNamedRepo(hub, path)
        if (!yes) await confirm(repoPath(found))
        await deleteRepo(hub, found)
        print(repoPath(found))
      })
    })
}

async function confirm(path: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new HoldfastError('InputInvalid', { message: `Add --yes to delete ${path}, which cannot be undone.` })
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await lines.question(`Deleting ${path} cannot be undone. Type its path to delete it: `)
    if (answer.trim() !== path) throw new HoldfastError('InputInvalid', { message: 'Nothing was deleted.' })
  } finally {
    lines.close()
  }
}
