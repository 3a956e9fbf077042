/** One request of git-upload-pack as bytes, put to us and to git; what comes back as text in latin1. */
import { spawnSync } from 'node:child_process'
import type { FetchHost } from '../../src/git/host.ts'
import { dataPacket, delimPacket, flushPacket } from '../../src/git/protocol/pkt-line.ts'
import { uploadPack } from '../../src/git/protocol/upload-pack.ts'
import { limits, withBareHost } from './bare-git-server.ts'
import { gitEnvironment } from './git-client.ts'

/** Lines as packets; '0000' and '0001' stand for themselves. */
export function packets(...lines: string[]): Buffer {
  const special: Record<string, Buffer> = { '0000': flushPacket, '0001': delimPacket }
  return Buffer.concat(lines.map((line) => special[line] ?? dataPacket(`${line}\n`)))
}

/** A `fetch` of version 2. */
export const fetchCommand = (...args: string[]) => packets('command=fetch', '0001', ...args, '0000')

export interface AskOptions {
  version?: 0 | 2
  /** In place of what the bare repository's host does. */
  host?: Partial<FetchHost>
  limits?: Partial<typeof limits>
}

/** Our answer. Throws where the server has a defect. */
export async function askUs(path: string, request: Buffer, options: AskOptions = {}): Promise<string> {
  const { signal } = new AbortController()
  const body = (async function* () {
    yield request
  })()
  const asked = { version: options.version ?? 2, limits: { ...limits, ...options.limits }, signal }
  const chunks: Uint8Array[] = []
  await withBareHost(path, async (host) => {
    for await (const chunk of uploadPack({ ...host, ...options.host }, body, asked)) chunks.push(chunk)
  })
  return Buffer.concat(chunks).toString('latin1')
}

/** Git's answer, whatever its exit status. */
export function askGitItself(path: string, request: Buffer, version: 0 | 2 = 2): string {
  const { stdout } = spawnSync('git', ['upload-pack', '--stateless-rpc', path], {
    input: request,
    env: { ...gitEnvironment, GIT_PROTOCOL: `version=${version}` },
    maxBuffer: 2 ** 28,
  })
  return stdout.toString('latin1')
}

/** What stands before the pack: the lines without their lengths, each pkt on one. */
export function linesBeforePack(answer: string): string[] {
  const lines: string[] = []
  for (let at = 0; at < answer.length && !answer.startsWith('PACK', at); ) {
    const length = Number.parseInt(answer.slice(at, at + 4), 16)
    const line = length < 4 ? answer.slice(at, at + 4) : answer.slice(at + 4, at + length).replace(/\n$/, '')
    if (line !== '' && line.charCodeAt(0) <= 3) break
    lines.push(line)
    at += Math.max(length, 4)
  }
  return lines
}
