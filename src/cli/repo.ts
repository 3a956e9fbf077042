/** `holdfast repo`: repositories, as their owners' settings pages would change them. */
import { createInterface } from 'node:readline/promises'
import { Argument, type Command, Option } from 'commander'
import { HoldfastError } from '../errors.ts'
import { listCollaboratorsOf, setCollaborator } from '../hub/collaborators.ts'
import type { Hub } from '../hub/hub.ts'
import { parseRepoPath } from '../hub/names.ts'
import { operator, type Role } from '../hub/principal.ts'
import { type Repo, type RepoType, repoPath, repoTypes, type Visibility } from '../hub/repo.ts'
import {
  createRepo,
  deleteRepo,
  moveRepo,
  type RepoListOptions,
  repoUrl,
  setDefaultBranch,
  setVisibility,
} from '../hub/repos.ts'
import { allRepos, openNamedRepo, repoArgument, roleOption } from './arguments.ts'
import { formatTime, note, print, printRoles, printTable } from './output.ts'
import { withHub } from './with-hub.ts'

/** Adds `repo` and its commands. */
export function addRepoCommands(program: Command): void {
  const repo = program.command('repo').description('make, list, change and delete repositories')
  addCreate(repo)
  addList(repo)
  addDelete(repo)
  addVisibility(repo)
  addTransfer(repo)
  addCollaborator(repo)
  addDefaultBranch(repo)
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

function addVisibility(repo: Command): void {
  repo
    .command('visibility')
    .description('make a repository public or private; prints its path')
    .argument('<repo>', repoArgument)
    .addArgument(new Argument('<visibility>', 'who may read it').choices(['public', 'private']))
    .addHelpText('after', '\nExample:\n  $ holdfast repo visibility ann/first-model private')
    .action((path: string, visibility: Visibility) =>
      changeRepo(path, (hub, found) => setVisibility(hub, found, visibility)),
    )
}

function addTransfer(repo: Command): void {
  repo
    .command('transfer')
    .description('give a repository to another namespace, or another name; prints its new path')
    .argument('<repo>', repoArgument)
    .argument('<namespace[/name]>', 'the user or organization it goes to; without a name it keeps its own')
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast repo transfer ann/first-model acme\n  $ holdfast repo transfer ann/first-model ann/better-name',
    )
    .action(async (path: string, target: string) => {
      await withHub(async (hub) => {
        const found = await openNamedRepo(hub, path)
        const [namespace, name] = target.includes('/') ? splitPath(target) : [target, found.name]
        const moved = await moveRepo(hub, operator, found, { namespace, name })
        print(repoPath(moved))
        note(`Clones of ${repoPath(found)} need the new address: git remote set-url origin ${repoUrl(hub, moved)}`)
      })
    })
}

function addCollaborator(repo: Command): void {
  const collaborator = repo
    .command('collaborator')
    .description(
      "add a collaborator, change or end their role and print the repository's path; without a user, list all",
    )
    .argument('<repo>', repoArgument)
    .argument('[user]', 'user name')
    .addOption(roleOption('what they may do here').conflicts('remove'))
    .option('--remove', 'end the collaboration')
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast repo collaborator ann/first-model\n  $ holdfast repo collaborator ann/first-model bob --role write\n  $ holdfast repo collaborator ann/first-model bob --remove',
    )
  collaborator.action(async (path: string, user: string | undefined, options: { role?: Role; remove?: true }) => {
    if (user === undefined) {
      return await withHub(async (hub) => printRoles(await listCollaboratorsOf(hub, await openNamedRepo(hub, path))))
    }
    if (options.role === undefined && !options.remove) collaborator.error('error: --role or --remove is needed')
    await changeRepo(path, (hub, found) => setCollaborator(hub, found, user, options.role))
  })
}

function addDefaultBranch(repo: Command): void {
  repo
    .command('default-branch')
    .description('choose the branch that clones check out; prints the path of the repository')
    .argument('<repo>', repoArgument)
    .argument('<branch>', 'name of the branch, such as main')
    .addHelpText('after', '\nExample:\n  $ holdfast repo default-branch ann/first-model trunk')
    .action((path: string, branch: string) =>
      // Ref names are bytes, held as latin1; a terminal speaks UTF-8.
      changeRepo(path, (hub, found) => setDefaultBranch(hub, found, Buffer.from(branch, 'utf8').toString('latin1'))),
    )
}

async function changeRepo(path: string, change: (hub: Hub, repo: Repo) => Promise<void>): Promise<void> {
  await withHub(async (hub) => {
    const found = await openNamedRepo(hub, path)
    await change(hub, found)
    print(repoPath(found))
  })
}

function splitPath(path: string): [namespace: string, name: string] {
  const name = parseRepoPath(path)
  if (name?.type === 'model') return [name.namespace, name.name]
  throw new HoldfastError('InputInvalid', { message: `"${path}" is not of the form namespace/name.` })
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
