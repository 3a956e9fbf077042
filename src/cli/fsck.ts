/** `holdfast fsck`: is everything that was ever acknowledged still there, and still right? */
import type { Command } from 'commander'
import { checkLfsObjects, checkRepo, type FsckOptions } from '../hub/fsck.ts'
import type { Hub } from '../hub/hub.ts'
import { repoPath } from '../hub/repo.ts'
import { allRepos, openNamedRepo, repoArgument } from './arguments.ts'
import { note, print, printTable } from './output.ts'
import { withHub } from './with-hub.ts'

/** Adds `fsck`. */
export function addFsckCommand(program: Command): void {
  program
    .command('fsck')
    .description('check packs, objects, refs and LFS bytes; prints a report; exit status 0 only if all is well')
    .argument('[repo]', `${repoArgument}; without it, all`)
    .option('--deep', 'read and hash every blob and LFS object as well', false)
    .addHelpText('after', '\nExamples:\n  $ holdfast fsck\n  $ holdfast fsck datasets/acme/reviews --deep')
    .action(async (path: string | undefined, { deep }: { deep: boolean }) => {
      await withHub((hub) => check(hub, path, deep))
    })
}

async function check(hub: Hub, path: string | undefined, isDeep: boolean): Promise<void> {
  let faults = 0
  const options: FsckOptions = {
    isDeep,
    onFault(fault) {
      faults++
      print(`fault: ${fault}`)
    },
  }
  const only = path === undefined ? undefined : await openNamedRepo(hub, path)
  const rows: string[][] = []
  for await (const repo of only === undefined ? allRepos(hub) : [only]) {
    const before = faults
    const { refs, packs, objects } = await checkRepo(hub, repo, options)
    rows.push([repoPath(repo), `${refs}`, `${packs}`, `${objects}`, faults === before ? 'well' : 'faulty'])
  }
  const lfsObjects = await checkLfsObjects(hub, only?.id, options)
  printTable(['REPOSITORY', 'REFS', 'PACKS', 'OBJECTS', 'STATE'], rows)
  print(`LFS objects: ${lfsObjects}`)
  print(faults === 0 ? 'All is well.' : `Faults: ${faults}`)
  if (faults === 0) return
  note('Something is damaged or lost. Restore what is named above from a backup, or push it again.')
  process.exitCode = 1
}
