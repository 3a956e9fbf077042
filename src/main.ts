#!/usr/bin/env node
/** Where the program starts: the command line decides what runs. */
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// Commands that git starts for every fetch and push take a third of the time with the sources compiled before. The folder
// is the user's own, since what lies in it is run.
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'holdfast'))

const args = process.argv.slice(2)
if (args[0] === 'upload-pack' || args[0] === 'receive-pack') {
  const { runGitService } = await import('./cli/git-service.ts')
  await runGitService(args)
} else {
  const { runCommandLine } = await import('./cli/program.ts')
  await runCommandLine(process.argv)
}
