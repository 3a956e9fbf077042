/** `holdfast token`: access tokens, for git as password and for hf as they are. */
import type { Command } from 'commander'
import type { Role } from '../hub/principal.ts'
import { createToken, listTokensOf, revokeTokenOf } from '../hub/tokens.ts'
import { parseCount, roleOption } from './arguments.ts'
import { formatTime, print, printTable } from './output.ts'
import { withHub } from './with-hub.ts'

const dayMs = 86_400_000

/** Adds `token` and its commands. */
export function addTokenCommands(program: Command): void {
  const token = program.command('token').description('make, list and revoke access tokens')
  addCreate(token)

  token
    .command('list')
    .description('print a table of the tokens of a user, without their secrets')
    .argument('<user>', 'user name')
    .addHelpText('after', '\nExample:\n  $ holdfast token list ann')
    .action(async (userName: string) => {
      await withHub(async (hub) => {
        const tokens = await listTokensOf(hub, userName)
        printTable(
          ['ID', 'NAME', 'ROLE', 'CREATED', 'EXPIRES', 'LAST USED', 'REVOKED'],
          tokens.map((row) => [
            row.tokenId,
            row.name,
            row.role,
            ...[row.createdAt, row.expiresAt, row.lastUsedAt, row.revokedAt].map(formatTime),
          ]),
        )
      })
    })

  token
    .command('revoke')
    .description('end a token at once; prints its id')
    .argument('<user>', 'user name')
    .argument('<id>', 'the id that "token list" shows')
    .addHelpText('after', '\nExample:\n  $ holdfast token revoke ann 3')
    .action(async (userName: string, tokenId: string) => {
      await withHub(async (hub) => {
        await revokeTokenOf(hub, userName, tokenId)
        print(tokenId)
      })
    })
}

function addCreate(token: Command): void {
  token
    .command('create')
    .description('make a token and print it: the only time it is shown')
    .argument('<user>', 'user name')
    .addOption(roleOption('the most it may do, whatever the user may').default('write'))
    .option('--name <name>', 'what the user knows it by', 'command line')
    .option('--expires-in-days <days>', 'when it ends; without it, it does not', parseCount)
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast token create ann\n  $ holdfast token create ci --role read --name "nightly build" --expires-in-days 90',
    )
    .action(async (userName: string, options: { role: Role; name: string; expiresInDays?: number }) => {
      const { role, name, expiresInDays } = options
      const expiresAt = expiresInDays === undefined ? undefined : new Date(Date.now() + expiresInDays * dayMs)
      await withHub(async (hub) => print(await createToken(hub, { userName, role, name, expiresAt })))
    })
}
