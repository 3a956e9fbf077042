/**
 * `holdfast upload-pack` and `holdfast receive-pack`: one conversation with a Git client on standard input and output, as
 * git's own programs hold it. Started for every clone and push, so that nothing is loaded but what they need.
 */
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { type Conversation, converse } from '../bare/service.ts'
import { isHoldfastError } from '../errors.ts'

interface ServiceOptions extends Omit<Conversation, 'protocol' | 'signal'> {
  /** Silence of the client that ends the conversation; 0 for none. */
  timeoutSeconds: number
}

const failed = 128
const misused = 129

/** Runs the service that `args` names, the rest being its arguments, and sets the exit status. Never rejects. */
export async function runGitService(args: readonly string[]): Promise<void> {
  const options = parseOptions(args)
  if (options === undefined) {
    process.stderr.write(usage(args[0]))
    process.exitCode = misused
    return
  }
  try {
    await serve(options)
  } catch (error) {
    process.exitCode = failed
    process.stderr.write(`fatal: ${isHoldfastError(error) ? error.message : (error as Error).stack}\n`)
  } finally {
    // The client closes its end only after it has seen ours.
    process.stdin.destroy()
  }
}

function parseOptions(args: readonly string[]): ServiceOptions | undefined {
  try {
    const flag = { type: 'boolean', default: false } as const
    const { values, positionals } = parseArgs({
      args: args.slice(1),
      allowPositionals: true,
      options: {
        strict: flag,
        'no-strict': flag,
        quiet: { ...flag, short: 'q' },
        'stateless-rpc': flag,
        'advertise-refs': flag,
        'http-backend-info-refs': flag,
        timeout: { type: 'string', default: '0' },
      },
    })
    if (positionals.length !== 1 || !/^\d{1,9}$/.test(values.timeout)) return undefined
    return {
      service: args[0] === 'upload-pack' ? 'git-upload-pack' : 'git-receive-pack',
      directory: positionals[0],
      isExact: values.strict && !values['no-strict'],
      isStateless: values['stateless-rpc'],
      isAdvertisementOnly: values['advertise-refs'] || values['http-backend-info-refs'],
      timeoutSeconds: Number(values.timeout),
    }
  } catch {
    return undefined
  }
}

function usage(command: string): string {
  const own = command === 'upload-pack' ? '[--strict] [--timeout=<seconds>] ' : ''
  return `usage: holdfast ${command} ${own}[--stateless-rpc] [--http-backend-info-refs | --advertise-refs] <directory>\n`
}

async function serve({ timeoutSeconds, ...options }: ServiceOptions): Promise<void> {
  const client = new AbortController()
  const leave = () => client.abort(new Error('The client has left.'))
  process.stdout.on('error', leave)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, leave)
  const conversation = { ...options, protocol: process.env.GIT_PROTOCOL, signal: client.signal }
  const timer = timeoutSeconds === 0 ? undefined : setTimeout(leaveSilent, timeoutSeconds * 1000)
  try {
    for await (const chunk of converse(conversation, clientBytes(timer))) {
      client.signal.throwIfAborted()
      // Who takes what we send need not speak.
      timer?.refresh()
      if (!process.stdout.write(chunk)) await once(process.stdout, 'drain', { signal: client.signal })
    }
  } finally {
    clearTimeout(timer)
  }
}

function leaveSilent(): never {
  process.stderr.write('fatal: the client has been silent for too long\n')
  process.exit(failed)
}

async function* clientBytes(timer: NodeJS.Timeout | undefined): AsyncGenerator<Uint8Array> {
  for await (const chunk of process.stdin) {
    timer?.refresh()
    yield chunk
  }
}
