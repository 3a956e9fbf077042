/**
 * Runs the commands that the process above sends, one after the other: `holdfast` without a new process for each. Behind
 * each command's output a NUL follows on both streams, so that nothing of it is missed, whoever wrote it.
 */
import { Readable } from 'node:stream'
import { runCommandLine } from '../../src/cli/program.ts'

export interface CommandRequest {
  args: string[]
  env: Record<string, string>
  stdin: string
}

const environment = { ...process.env }

process.on('message', async ({ args, env, stdin }: CommandRequest) => {
  process.env = { ...environment, ...env }
  process.exitCode = 0
  Object.defineProperty(process, 'stdin', { value: Readable.from([Buffer.from(stdin)]), configurable: true })
  await runCommandLine([process.execPath, 'holdfast', ...args])
  process.stdout.write('\0')
  process.stderr.write('\0')
  process.send?.(process.exitCode)
})
process.once('disconnect', () => process.exit())
