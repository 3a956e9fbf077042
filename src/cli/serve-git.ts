/** `holdfast serve-git`: a folder of repositories over HTTP, for those on this machine. */
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { note, print } from './output.ts'

interface ServeGitOptions {
  host: string
  port: number
  readOnly: boolean
}

/** Adds `serve-git`. */
export function addServeGitCommand(program: Command): void {
  program
    .command('serve-git')
    .description('serve the Git repositories in a folder over HTTP, without database or accounts, until told to stop')
    .argument('<root>', 'a folder of repositories, or a repository')
    .option('--host <address>', 'the address to listen on; whoever reaches it may read and write', '127.0.0.1')
    .option('--port <number>', 'the port to listen on; 0 takes one that is free', parsePort, 8418)
    .option('--read-only', 'take no pushes', false)
    .addHelpText('after', '\nExample:\n  $ holdfast serve-git ~/repositories')
    .action(serveFolder)
}

async function serveFolder(root: string, { host, port, readOnly }: ServeGitOptions): Promise<void> {
  const { startFolderServer } = await import('../compose-folder.ts')
  const onDefect = (error: unknown) => note(error instanceof Error ? (error.stack ?? error.message) : String(error))
  const server = await startFolderServer(root, { host, port, isReadOnly: readOnly, onDefect })
  const stop = () => {
    note('Finishing what runs. Once more ends it at once.')
    void server.close()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  print(server.url)
  note(`Serving the repositories in ${resolve(root)}${readOnly ? ', read-only' : ''}. Clone one with`)
  note(`  git clone ${server.url}/<path of the repository>`)
  note('Ctrl-C stops it.')
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('It must be a number up to 65535.')
}
