/** `holdfast repo`: what changes about a repository that exists. */
import { Argument, type Command } from 'commander'
import { listCollaboratorsOf, setCollaborator } from '../hub/collaborators.ts'
import type { Hub } from '../hub/hub.ts'
import { operator, type Role } from '../hub/principal.ts'
import { type Repo, repoPath, type Visibility } from '../hub/repo.ts'
import { moveRepo, repoUrl, setDefaultBranch, setVisibility } from '../hub/repos.ts'
import { openNamedRepo, refNameArgument, repoArgument, roleOption, splitPath } from './arguments.ts'
import { note, print, printRoles } from './output.ts'
import { withHub } from './with-hub.ts'

/** Adds the commands to `repo`. */
export function addRepoSettingCommands(repo: Command): void {
  addVisibility(repo)
  addTransfer(repo)
  addCollaborator(repo)
  addDefaultBranch(repo)
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
      changeRepo(path, (hub, found) => setDefaultBranch(hub, found, refNameArgument(branch))),
    )
}

/** Changes a repository and prints its path. */
export async function changeRepo(path: string, change: (hub: Hub, repo: Repo) => Promise<void>): Promise<void> {
  await withHub(async (hub) => {
    const found = await openNamedRepo(hub, path)
    await change(hub, found)
    print(repoPath(found))
  })
}
