/** `holdfast org`: organizations and their members. */
import type { Command } from 'commander'
import { createOrganization, listMembersOf, setMember } from '../hub/organizations.ts'
import type { Role } from '../hub/principal.ts'
import { roleOption } from './arguments.ts'
import { print, printRoles } from './output.ts'
import { withHub } from './with-hub.ts'

/** Adds `org` and its commands. */
export function addOrgCommands(program: Command): void {
  const org = program.command('org').description('make organizations, change and list their members')

  org
    .command('create')
    .description('make an organization; prints the name')
    .argument('<name>', 'letters, digits, "-", "_" and "."')
    .requiredOption('--owner <user>', 'its first member, with the role admin')
    .addHelpText('after', '\nExample:\n  $ holdfast org create acme --owner ann')
    .action(async (name: string, { owner }: { owner: string }) => {
      await withHub(async (hub) => {
        await createOrganization(hub, name, owner)
        print(name)
      })
    })

  const member = org
    .command('member')
    .description("add a member, change or end their role and print the organization's name; without a user, list all")
    .argument('<org>', 'name of the organization')
    .argument('[user]', 'user name')
    .addOption(roleOption('read: see all repositories; write: push and create; admin: everything').conflicts('remove'))
    .option('--remove', 'end the membership')
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast org member acme\n  $ holdfast org member acme bob --role write\n  $ holdfast org member acme bob --remove',
    )
  member.action(async (name: string, user: string | undefined, options: { role?: Role; remove?: true }) => {
    if (user === undefined) return await withHub(async (hub) => printRoles(await listMembersOf(hub, name)))
    if (options.role === undefined && !options.remove) member.error('error: --role or --remove is needed')
    await withHub(async (hub) => print(await setMember(hub, name, user, options.role)))
  })
}
