/** `holdfast repo rule`: who may do what with which refs. */
import { type Command, Option } from 'commander'
import { addRule, type RefRule, removeRule } from '../hub/ref-rules.ts'
import { openNamedRepo, refNameArgument, repoArgument } from './arguments.ts'
import { printTable } from './output.ts'
import { changeRepo } from './repo-settings.ts'
import { withHub } from './with-hub.ts'

const patternArgument = "full name of a ref, such as refs/heads/main; * stands for any characters, '/' among them"

/** Adds `rule` and its commands to `repo`. */
export function addRuleCommands(repo: Command): void {
  const rule = repo.command('rule').description('protect, hold or hide refs of a repository')
  addList(rule)
  addAdd(rule)
  addRemove(rule)
}

function addList(rule: Command): void {
  rule
    .command('list')
    .description('print a table of the rules of a repository; each that names a ref holds for it')
    .argument('<repo>', repoArgument)
    .addHelpText('after', '\nExample:\n  $ holdfast repo rule list ann/first-model')
    .action(async (path: string) => {
      await withHub(async (hub) => {
        const { refRules } = await openNamedRepo(hub, path)
        const yes = (isSet: boolean | undefined) => (isSet ? 'yes' : '-')
        const rows = refRules.map(({ pattern, push, fastForwardOnly, noDeletion, hidden }) => [
          Buffer.from(pattern, 'latin1').toString(),
          push ?? 'all',
          yes(fastForwardOnly),
          yes(noDeletion),
          yes(hidden),
        ])
        printTable(['REFS', 'PUSH', 'FAST-FORWARD ONLY', 'NO DELETION', 'HIDDEN'], rows)
      })
    })
}

interface AddOptions {
  push?: 'admin' | 'nobody'
  fastForwardOnly?: true
  /** False for --no-deletion. */
  deletion: boolean
  hidden?: true
}

function addAdd(rule: Command): void {
  const add = rule
    .command('add')
    .description('add a rule, in place of one for the same refs; prints the path of the repository')
    .argument('<repo>', repoArgument)
    .argument('<refs>', patternArgument)
    .addOption(
      new Option('--push <who>', 'who of those with write access may create, move and delete them').choices([
        'admin',
        'nobody',
      ]),
    )
    .option('--fast-forward-only', 'refuse pushes that leave commits behind (git push --force)')
    .option('--no-deletion', 'refuse to delete them')
    .option('--hidden', 'show them only to those with write access')
    .addHelpText(
      'after',
      "\nExamples:\n  $ holdfast repo rule add ann/first-model refs/heads/main --fast-forward-only --no-deletion\n  $ holdfast repo rule add ann/first-model 'refs/heads/release/*' --push admin\n  $ holdfast repo rule add ann/first-model 'refs/internal/*' --hidden",
    )
  add.action(async (path: string, refs: string, options: AddOptions) => {
    const { push, fastForwardOnly, deletion, hidden } = options
    const wanted: RefRule = {
      pattern: refNameArgument(refs),
      push,
      fastForwardOnly,
      noDeletion: deletion ? undefined : true,
      hidden,
    }
    if (push === undefined && !fastForwardOnly && deletion && !hidden) {
      add.error('error: --push, --fast-forward-only, --no-deletion or --hidden is needed')
    }
    await changeRepo(path, (hub, found) => addRule(hub, found, wanted))
  })
}

function addRemove(rule: Command): void {
  rule
    .command('remove')
    .description('remove a rule; prints the path of the repository')
    .argument('<repo>', repoArgument)
    .argument('<refs>', 'as the list shows them')
    .addHelpText('after', "\nExample:\n  $ holdfast repo rule remove ann/first-model 'refs/heads/release/*'")
    .action((path: string, refs: string) =>
      changeRepo(path, (hub, found) => removeRule(hub, found, refNameArgument(refs))),
    )
}
