/**
 * git-upload-pack for `git clone -u`: serves the bare repository that its last argument names on standard input and
 * output, in the version that GIT_PROTOCOL asks for. What was left unread of the input is told on standard error.
 */

import { advertiseRefs } from '../../src/git/protocol/advertise-refs.ts'
import { parseProtocolVersion } from '../../src/git/protocol/protocol-version.ts'
import { uploadPack } from '../../src/git/protocol/upload-pack.ts'
import { limits, withBareHost } from './bare-git-server.ts'

const version = parseProtocolVersion(process.env.GIT_PROTOCOL)
const { signal } = new AbortController()

await withBareHost(process.argv.at(-1) ?? '.', async (host) => {
  const write = async (stream: AsyncIterable<Uint8Array>) => {
    for await (const chunk of stream) {
      if (!process.stdout.write(chunk)) await new Promise((resolve) => process.stdout.once('drain', resolve))
    }
  }
  await write(advertiseRefs(host, { service: 'git-upload-pack', version }))
  await write(uploadPack(host, process.stdin, { version, limits, signal, isStateful: true }))
})
// The client closes its end only after it has seen ours.
process.stdin.destroy()
