/** `holdfast serve`, `worker` and `migrate`: the processes of a deployment. */
import type { Command } from 'commander'
import { note } from './output.ts'
import { readSettings, withHub } from './with-hub.ts'

/** Adds `serve`, `worker` and `migrate`. */
export function addServeCommands(program: Command): void {
  program
    .command('serve')
    .description('serve Git, Git LFS and the Hub API until told to stop')
    .addHelpText('after', serveExamples)
    .action(async () => {
      const { runServer } = await import('../run.ts')
      await runServer(readSettings())
    })

  program
    .command('worker')
    .description('run background jobs only, beside servers with JOBS=off')
    .addHelpText('after', '\nExample:\n  $ DATABASE_URL=postgres://... S3_ENDPOINT=https://... holdfast worker')
    .action(async () => {
      const { runWorker } = await import('../run.ts')
      await runWorker(readSettings())
    })

  program
    .command('migrate')
    .description('bring the database to the state that this version needs, which serve does as well')
    .addHelpText('after', '\nExample:\n  $ holdfast migrate')
    .action(async () => {
      // Opening the hub migrates.
      await withHub(async () => note('The database is up to date.'))
    })
}

const serveExamples = `
Examples:
  $ holdfast serve
  $ PORT=8080 DATA_DIR=/srv/holdfast holdfast serve
  $ DATABASE_URL=postgres://... S3_ENDPOINT=https://... S3_ACCESS_KEY=... S3_SECRET_KEY=... holdfast serve`
