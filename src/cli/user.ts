/** `holdfast user`: accounts of people. */
import type { Command } from 'commander'
import { createUser, setPassword, setUserDisabled } from '../hub/accounts.ts'
import { note, print } from './output.ts'
import { readPassword } from './password.ts'
import { withHub } from './with-hub.ts'

/** Adds `user` and its commands. */
export function addUserCommands(program: Command): void {
  const user = program.command('user').description('make, disable and enable users, set their passwords')
  addCreate(user)

  user
    .command('disable')
    .description('lock a user out, with all their tokens; prints the name')
    .argument('<name>', 'user name')
    .addHelpText('after', '\nExample:\n  $ holdfast user disable ann')
    .action((name: string) => changeDisabled(name, true))

  user
    .command('enable')
    .description('let a disabled user in again; prints the name')
    .argument('<name>', 'user name')
    .addHelpText('after', '\nExample:\n  $ holdfast user enable ann')
    .action((name: string) => changeDisabled(name, false))

  user
    .command('password')
    .description('give a user a new password, typed or on standard input; prints the name')
    .argument('<name>', 'user name')
    .addHelpText('after', '\nExamples:\n  $ holdfast user password ann\n  $ holdfast user password ann < password.txt')
    .action(async (name: string) => {
      const password = await readPassword()
      await withHub(async (hub) => print((await setPassword(hub, name, password)).name))
    })
}

function addCreate(user: Command): void {
  user
    .command('create')
    .description('make a user; prints the name')
    .argument('<name>', 'letters, digits, "-", "_" and "."')
    .option('--admin', 'may do everything on this server', false)
    .option('--email <address>', 'e-mail address')
    .option('--password-stdin', 'read a password from standard input; without it the user signs in with tokens', false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast user create ann --admin --email ann@example.org\n  $ holdfast user create bob --password-stdin < password.txt',
    )
    .action(async (name: string, options: { admin: boolean; email?: string; passwordStdin: boolean }) => {
      const password = options.passwordStdin ? await readPassword() : undefined
      await withHub(async (hub) => {
        await createUser(hub, { name, email: options.email, password, isAdmin: options.admin })
        print(name)
        note(`Made ${name}. A token for git and hf: holdfast token create ${name} --role write`)
      })
    })
}

async function changeDisabled(name: string, isDisabled: boolean): Promise<void> {
  await withHub(async (hub) => print((await setUserDisabled(hub, name, isDisabled)).name))
}
