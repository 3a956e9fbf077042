/** Reads a password: typed unseen where a person sits there, piped otherwise. Never from an argument, which others see. */
import { once } from 'node:events'
import { HoldfastError } from '../errors.ts'

/** More than any password may have, so that what is too long is refused by the rule, with its sentence. */
const pipedBytesMax = 4096

/** The password from standard input, without the line's end. */
export async function readPassword(): Promise<string> {
  return process.stdin.isTTY ? await readTyped() : await readPiped()
}

async function readPiped(): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of process.stdin) {
    sizeBytes += chunk.length
    if (sizeBytes > pipedBytesMax) throw new HoldfastError('InputTooLarge', { message: 'The password is too long.' })
    chunks.push(chunk)
  }
  const password = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
  if (password !== '') return password
  throw new HoldfastError('InputInvalid', { message: 'There is no password on standard input. Pipe one in.' })
}

async function readTyped(): Promise<string> {
  process.stderr.write('Password: ')
  process.stdin.setRawMode(true).resume().setEncoding('utf8')
  try {
    return await collectLine()
  } finally {
    process.stdin.setRawMode(false).pause()
    process.stderr.write('\n')
  }
}

async function collectLine(): Promise<string> {
  let typed = ''
  for (;;) {
    const [text] = (await once(process.stdin, 'data')) as [string]
    for (const key of text) {
      if (key === '\r' || key === '\n' || key === '\u0004') return typed
      if (key === '\u0003') throw new HoldfastError('InputInvalid', { message: 'Cancelled.' })
      typed = key === '\u007f' || key === '\b' ? [...typed].slice(0, -1).join('') : typed + key
    }
  }
}
