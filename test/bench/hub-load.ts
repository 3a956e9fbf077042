/** Requests of the Hub API over connections that stay open: HEAD, which wrk cannot send, and commits, each with a body of its own. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'

const endOfHead = Buffer.from('\r\n\r\n')

export interface HeadLoad {
  url: string
  headers: Record<string, string>
  connections: number
  seconds: number
}

/** HEAD requests answered per second. Throws where an answer is no 200. */
export async function headsPerSecond({ url, headers, connections, seconds }: HeadLoad): Promise<number> {
  const { host, hostname, port, pathname } = new URL(url)
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  const request = Buffer.from(`HEAD ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n`)
  const start = performance.now()
  const deadline = start + seconds * 1000
  const counts = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect(Number(port), hostname)
      await once(socket, 'connect')
      let count = 0
      socket.write(request)
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        if (count === 0 && !chunk.includes(' 200 ')) throw new Error(`HEAD ${pathname}: ${chunk.toString()}`)
        // One request is under way, so whatever ends a head ends its answer.
        if (chunk.indexOf(endOfHead) < 0) continue
        count++
        if (performance.now() > deadline) break
        socket.write(request)
      }
      return count
    }),
  )
  return (counts.reduce((sum, count) => sum + count, 0) * 1000) / (performance.now() - start)
}

/** The median, in ms, of requests sent one after the other; each answer is read whole. Throws where one is no success. */
export async function medianLatencyMs(url: string, init: RequestInit, count: number): Promise<number> {
  const times: number[] = []
  for (let number = 0; number < count; number++) {
    const start = performance.now()
    const answer = await fetch(url, init)
    await answer.arrayBuffer()
    times.push(performance.now() - start)
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`)
  }
  return times.sort((a, b) => a - b)[count >> 1]
}

/** The lines of a commit request (hub-api.md §2.7). */
export function* commitLines(summary: string, files: Iterable<{ path: string; content: string }>): Generator<string> {
  yield `${JSON.stringify({ key: 'header', value: { summary } })}\n`
  for (const { path, content } of files) {
    const value = { path, content: Buffer.from(content).toString('base64'), encoding: 'base64' }
    yield `${JSON.stringify({ key: 'file', value })}\n`
  }
}
