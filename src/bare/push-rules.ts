/** What the configuration has against a command of a push (git-config, receive.*), in git's own words. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { locateId, type ObjectDatabase, type RefCommand } from '../git/repository.ts'
import { findNonAncestors } from '../git/walk/ancestry.ts'
import { CommitGraph } from '../git/walk/commit-graph.ts'
import type { BareRepository } from './bare-repository.ts'
import { readLooseRef, symrefTarget } from './ref-files.ts'
import type { DenyAction } from './settings.ts'

export interface RuleContext {
  repository: BareRepository
  /** With the new ones. */
  objects: () => ObjectDatabase
  /** A line for the person who pushes. */
  print(text: string): void
}

/** The reason behind `ng`; undefined where nothing speaks against the command. */
export async function findObjection(context: RuleContext, command: RefCommand): Promise<string | undefined> {
  const { receive } = context.repository.settings
  const { name, oldId, newId } = command
  const isCheckedOut = checkedOutBranches(context.repository).has(name)
  const objection = isCheckedOut ? opposeUpdate(context, name) : undefined
  if (objection !== undefined) return objection
  if (newId === undefined) return opposeDeletion(context, command, isCheckedOut)
  const isBranch = name.startsWith('refs/heads/')
  if (!receive.denyNonFastForwards || !isBranch || oldId === undefined) return undefined
  return await opposeRewind(context, { ...command, oldId, newId })
}

function opposeUpdate({ repository, print }: RuleContext, name: string): string | undefined {
  const action = repository.settings.receive.denyCurrentBranch
  if (action === 'ignore') return undefined
  if (action === 'warn') {
    print('warning: updating the current branch\n')
    return undefined
  }
  print(`error: refusing to update checked out branch: ${asText(name)}\n`)
  if (action === 'unset')
    print(explanation('receive.denyCurrentBranch', 'its files would no longer be those of the branch'))
  if (action === 'updateInstead') print('error: receive.denyCurrentBranch=updateInstead is not supported by holdfast\n')
  return 'branch is currently checked out'
}

function opposeDeletion(context: RuleContext, { name, oldId }: RefCommand, isCheckedOut: boolean): string | undefined {
  const { repository, print } = context
  const { denyDeletes, denyDeleteCurrent } = repository.settings.receive
  if (oldId === undefined) return undefined
  if (denyDeletes && name.startsWith('refs/heads/')) {
    print(`error: denying ref deletion for ${asText(name)}\n`)
    return 'deletion prohibited'
  }
  const isCurrent = isCheckedOut || repository.refStore.headTarget() === name
  return isCurrent ? opposeDeletionOfCurrent(print, denyDeleteCurrent, name) : undefined
}

function opposeDeletionOfCurrent(print: RuleContext['print'], action: DenyAction, name: string): string | undefined {
  if (action === 'ignore') return undefined
  if (action === 'warn') {
    print('warning: deleting the current branch\n')
    return undefined
  }
  if (action === 'unset')
    print(explanation('receive.denyDeleteCurrent', 'the next clone would not know what to check out'))
  print(`error: refusing to delete the current branch: ${asText(name)}\n`)
  return 'deletion of the current branch prohibited'
}

async function opposeRewind(
  { objects, print }: RuleContext,
  { name, oldId, newId }: Required<RefCommand> & { oldId: string; newId: string },
): Promise<string | undefined> {
  const all = objects()
  const [before, after] = [oldId, newId].map((id) => locateId(all, id))
  const areCommits = [before, after].every((ordinal) => ordinal >= 0 && all.stat(ordinal).type === 'commit')
  if (!areCommits) {
    print(`error: Bad sha1 objects ${oldId} and ${newId} for ${asText(name)}\n`)
    return 'bad ref'
  }
  if ((await findNonAncestors(new CommitGraph(all), [before], [after])).length === 0) return undefined
  print(`error: denying non-fast-forward ${asText(name)} (you should pull first)\n`)
  return 'non-fast-forward'
}

function explanation(key: string, why: string): string {
  return `error: this is refused by default, because ${why}.\nerror: Set '${key}' to 'ignore' or 'warn' to allow it.\n`
}

/** The branches that a work tree stands on: the repository's own unless it is bare, and linked ones. */
function checkedOutBranches({ commonPath, settings }: BareRepository): Set<string> {
  const folders = settings.isBare ? [] : [commonPath]
  const heads = [...folders, ...linkedWorktrees(commonPath)].map((folder) => readLooseRef(folder, 'HEAD'))
  return new Set(heads.flatMap((head) => (head === undefined ? [] : (symrefTarget(head) ?? []))))
}

function linkedWorktrees(commonPath: string): string[] {
  const folder = join(commonPath, 'worktrees')
  try {
    return readdirSync(folder).map((name) => join(folder, name))
  } catch {
    return []
  }
}

function asText(name: string): string {
  return Buffer.from(name, 'latin1').toString()
}
