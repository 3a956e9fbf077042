/** `upload-pack` and `receive-pack` in the command tree, for the help: main.ts runs them without loading the tree. */
import type { Command } from 'commander'

/** Adds both, as git names its own. */
export function addGitServiceCommands(program: Command): void {
  for (const [name, what, client] of services) {
    program
      .command(name)
      .description(what)
      .argument('<directory>', 'a repository on this machine')
      .option('--stateless-rpc', 'answer one request, without an advertisement before it')
      .option('--http-backend-info-refs', 'write the advertisement alone (also --advertise-refs)')
      .addHelpText('after', `\nExample:\n  $ ${client}`)
      .action(async () => {
        const { runGitService } = await import('./git-service.ts')
        await runGitService(process.argv.slice(2))
      })
  }
}

const services = [
  ['upload-pack', 'serve a fetch on standard input and output', 'git clone -u "holdfast upload-pack" ./model.git'],
  [
    'receive-pack',
    'take a push on standard input and output',
    'git push --receive-pack="holdfast receive-pack" ./model.git',
  ],
] as const
