/**
 * `holdfast upload-pack` and `holdfast receive-pack`: one conversation with a Git client on standard input and output, as
 * git's own programs hold it. Started for every clone and push, so that nothing is loaded but what they need.
 */
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { type BareRepository, openBareRepository } from '../bare/bare-repository.ts'
import { localLimits } from '../bare/limits.ts'
import { isHoldfastError } from '../errors.ts'
import type { ByteStream } from '../git/object-id.ts'
import type { GitService, ProtocolVersion } from '../git/protocol/capabilities.ts'
import { errorPacket } from '../git/protocol/pkt-line.ts'
import { parseProtocolVersion } from '../git/protocol/protocol-version.ts'

export interface ServiceOptions {
  service: GitService
  directory: string
  /** Only the directory itself is opened. */
  isStrict: boolean
  /** One request without an advertisement before it. */
  isStateless: boolean
  /** The advertisement and nothing else. */
  isAdvertisementOnly: boolean
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
    const isExpected = isHoldfastError(error)
    process.stderr.write(`fatal: ${isExpected ? error.message : (error as Error).stack}\n`)
    // A client at the other end of a connection does not see what is said here.
    if (isExpected && error.code !== 'RepoNotFound' && !process.stdout.destroyed) {
      process.stdout.write(errorPacket(error.message))
    }
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
      isStrict: values.strict && !values['no-strict'],
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

async function serve(options: ServiceOptions): Promise<void> {
  const { service, directory, isStrict } = options
  const repository = await openBareRepository(directory, { isExact: isStrict })
  const client = new AbortController()
  const leave = () => client.abort(new Error('The client has left.'))
  process.stdout.on('error', leave)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, leave)
  try {
    const converse = service === 'git-upload-pack' ? serveFetch : servePush
    await converse(repository, options, client.signal)
  } finally {
    repository.close()
  }
}

async function serveFetch(repository: BareRepository, options: ServiceOptions, signal: AbortSignal): Promise<void> {
  const { isStateless, isAdvertisementOnly } = options
  const version = parseProtocolVersion(process.env.GIT_PROTOCOL)
  const [{ bareFetchHost }, { uploadPack }] = await Promise.all([
    import('../bare/fetch.ts'),
    import('../git/protocol/upload-pack.ts'),
  ])
  const host = bareFetchHost(repository, { version, isStateless })
  if (isAdvertisementOnly || !isStateless) await advertise(host, options, version, signal)
  if (isAdvertisementOnly) return
  const input = clientBytes(options.timeoutSeconds)
  const answer = uploadPack(host, input, { version, limits: localLimits, signal, isStateful: !isStateless })
  await write(answer, signal)
}

async function servePush(repository: BareRepository, options: ServiceOptions, signal: AbortSignal): Promise<void> {
  const { isStateless, isAdvertisementOnly } = options
  const [{ barePushHost }, { receivePack }] = await Promise.all([
    import('../bare/push.ts'),
    import('../git/protocol/receive-pack.ts'),
  ])
  const host = barePushHost(repository, localLimits)
  const version = parseProtocolVersion(process.env.GIT_PROTOCOL)
  if (isAdvertisementOnly || !isStateless) await advertise(host, options, version, signal)
  if (isAdvertisementOnly) return
  const input = clientBytes(options.timeoutSeconds)
  await write(receivePack(host, input, { limits: localLimits, signal, isStateful: !isStateless }), signal)
}

async function advertise(
  host: Parameters<typeof import('../git/protocol/advertise-refs.ts').advertiseRefs>[0],
  { service }: ServiceOptions,
  version: ProtocolVersion,
  signal: AbortSignal,
): Promise<void> {
  const { advertiseRefs } = await import('../git/protocol/advertise-refs.ts')
  await write(advertiseRefs(host, { service, version }), signal)
}

async function* clientBytes(timeoutSeconds: number): AsyncGenerator<Uint8Array> {
  const expire = () => {
    process.stderr.write('fatal: the client has been silent for too long\n')
    process.exit(failed)
  }
  const timer = timeoutSeconds === 0 ? undefined : setTimeout(expire, timeoutSeconds * 1000)
  try {
    for await (const chunk of process.stdin) {
      timer?.refresh()
      yield chunk
    }
  } finally {
    clearTimeout(timer)
  }
}

async function write(stream: ByteStream, signal: AbortSignal): Promise<void> {
  for await (const chunk of stream) {
    signal.throwIfAborted()
    if (!process.stdout.write(chunk)) await once(process.stdout, 'drain', { signal })
  }
}
