/** What every command has in common: help, exit status, which stream carries what. */
import type { Command } from 'commander'
import t from 'tap'
import { createProgram } from '../../src/cli/program.ts'
import { openCommandLine, startCommands } from '../support/command-line.ts'
import { run } from '../support/git.ts'

const main = new URL('../../src/main.ts', import.meta.url).pathname
const alone = (args: string[], env: Record<string, string> = {}) => run(process.execPath, [main, ...args], { env })

/** Every command that does something, with its words. */
function leavesOf(command: Command, words: string[] = []): [string, Command][] {
  const own: [string, Command][] = [[words.join(' '), command]]
  if (command.commands.length === 0) return own
  const below = command.commands.flatMap((each) => leavesOf(each, [...words, each.name()]))
  return words.length === 0 ? [...own, ...below] : below
}

t.test('every command has help with an example', async (t) => {
  const leaves = leavesOf(createProgram())
  t.ok(leaves.length > 20)
  for (const [words, command] of leaves) {
    let help = ''
    command.configureOutput({
      writeOut: (text) => {
        help += text
      },
    })
    command.outputHelp()
    t.match(help, /Usage: holdfast[\s\S]*Examples?:\n {2}\$ /, words)
  }
})

t.test('help that is asked for goes to standard output', async (t) => {
  t.match(await alone(['repo', 'create', '--help']), { status: 0, stdout: /^Usage: holdfast repo create/, stderr: '' })
})

t.test('what is not understood is said on standard error, with status 2', async (t) => {
  t.match(await alone(['fly']), { status: 2, stdout: '', stderr: /unknown command 'fly'/ })
  const runCommand = startCommands(t)
  const wrong = [[], ['user'], ['user', 'create'], ['token', 'create', 'ann', '--role', 'god'], ['gc', '--fast']]
  for (const args of wrong) {
    const { status, stdout, stderr } = await runCommand({ args, env: {}, stdin: '' })
    t.equal(status, 2, args.join(' '))
    t.equal(stdout, '')
    t.not(stderr, '')
  }
})

t.test('a wrong setting and a lost database are sentences, with status 1', async (t) => {
  const setting = await alone(['user', 'create', 'ann'], { PORT: 'http' })
  t.match(setting, { status: 1, stdout: '', stderr: /^A setting is wrong: .*PORT.*\n$/ })
  const database = await alone(['user', 'create', 'ann'], { DATABASE_URL: 'postgres://127.0.0.1:1/nowhere' })
  t.match(database, { status: 1, stdout: '', stderr: /do not answer \(.*ECONNREFUSED/ })
  t.notMatch(database.stderr, / {4}at /, 'no stack trace')
})

t.test('migrate says nothing on standard output, can be run again, and ends by itself', async (t) => {
  const { holdfastAlone } = await openCommandLine(t)
  t.match(await holdfastAlone('', 'migrate'), { status: 0, stdout: '', stderr: 'The database is up to date.\n' })
})
