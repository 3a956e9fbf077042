/**
 * The command tree of `holdfast` (design.md §9). Standard output carries only what a script would want; everything said
 * to people goes to standard error. Exit status: 0 done, 1 not done, 2 not understood.
 */
import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { isHoldfastError } from '../errors.ts'
import { addDoctorCommand } from './doctor.ts'
import { addFsckCommand } from './fsck.ts'
import { addGcCommand } from './gc.ts'
import { addGitServiceCommands } from './git-service-help.ts'
import { addImportCommand } from './import.ts'
import { addOrgCommands } from './org.ts'
import { describeError, note } from './output.ts'
import { addRepoCommands } from './repo.ts'
import { addServeCommands } from './serve.ts'
import { addServeGitCommand } from './serve-git.ts'
import { addTokenCommands } from './token.ts'
import { addUserCommands } from './user.ts'

/**
 * Runs the command that `argv` (as process.argv) names and sets the exit status. Never rejects. After `serve` and `worker`
 * the process goes on until it is told to stop.
 */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync([...argv])
  } catch (error) {
    process.exitCode = report(error)
  }
}

/** The command tree, to be run or asked for its help. */
export function createProgram(): Command {
  const program = new Command('holdfast')
    .description('The model hub a team runs itself: Git, Git LFS and the Hub API on one server.')
    .version(packageJson.version)
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError('Add --help to see how the command is used.')
    .exitOverride()
    .addHelpText('after', firstSteps)
  addServeCommands(program)
  addUserCommands(program)
  addTokenCommands(program)
  addOrgCommands(program)
  addRepoCommands(program)
  addImportCommand(program)
  addServeGitCommand(program)
  addGitServiceCommands(program)
  addFsckCommand(program)
  addGcCommand(program)
  addDoctorCommand(program)
  return program
}

const firstSteps = `
Examples:
  $ holdfast serve
  $ holdfast user create ann --admin
  $ holdfast token create ann --role write
  $ holdfast repo create model ann/first-model

Settings are read from the environment; README.md lists them.`

function report(error: unknown): 0 | 1 | 2 {
  // Commander has printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (isHoldfastError(error)) note(describeError(error))
  else note(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return 1
}
