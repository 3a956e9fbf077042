/** `holdfast gc`: deletes bytes that nothing names any more. */
import type { Command } from 'commander'
import { collectGarbage } from '../hub/gc.ts'
import { formatBytes, printTable } from './output.ts'
import { withHub } from './with-hub.ts'

/** Adds `gc`. */
export function addGcCommand(program: Command): void {
  program
    .command('gc')
    .description('delete bytes that nothing names any more, once nobody can be using them; prints a report')
    .option('--dry-run', 'only say what would be deleted', false)
    .addHelpText('after', '\nExamples:\n  $ holdfast gc --dry-run\n  $ holdfast gc')
    .action(async ({ dryRun }: { dryRun: boolean }) => {
      await withHub(async (hub) => {
        const report = await collectGarbage(hub, { isDryRun: dryRun })
        const done = dryRun ? 'would be deleted' : 'deleted'
        printTable(
          ['BYTES', 'KEYS', 'SIZE', 'STATE'],
          [
            ['of removed packs', String(report.doomedKeys), '-', done],
            ['of removed packs', String(report.waitingKeys), '-', 'kept until readers are gone'],
            ['of unfinished uploads', String(report.orphanKeys), formatBytes(report.orphanBytes), done],
          ],
        )
      })
    })
}
