#!/usr/bin/env node
/** Where the program starts: the command line decides what runs. */
import './compile-cache.js'

const args = process.argv.slice(2)
if (args[0] === 'upload-pack' || args[0] === 'receive-pack') {
  // Started for every fetch and push: nothing else is loaded.
  const { runGitService } = await import('./cli/git-service.ts')
  await runGitService(args)
} else {
  const { runCommandLine } = await import('./cli/program.ts')
  await runCommandLine(process.argv)
}
