/**
 * What no server goes below: the same real git against one that has every answer ready in memory. Where even that does not
 * reach an aim, the rest is the client's own work.
 */
import { hash } from 'node:crypto'
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { type Exchange, type GivenAnswer, pickHeaders, record, standInFor } from './exchange.ts'
import { measureOnce, median, type Side } from './measure.ts'

/** Milliseconds of the median round. `client` is a round of work with the server at an address; `url` answers once for each request. */
export async function measureFloor(
  url: string,
  client: (url: string) => ReturnType<Side['run']>,
  rounds: number,
): Promise<number> {
  const answers = new Map<string, GivenAnswer>()
  const note = (exchange: Exchange, answer: GivenAnswer) => void answers.set(nameOf(exchange), answer)
  await record(url, async (proxied) => (await client(proxied))?.(), note)
  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    const answer = answers.get(nameOf({ path: request.url ?? '/', headers: pickHeaders(request), body }))
    if (answer === undefined) return response.writeHead(500).end()
    const { connection: _, 'transfer-encoding': __, ...headers } = answer.headers
    response.writeHead(answer.status, { ...headers, 'content-length': answer.body.length }).end(answer.body)
  })
  const taken: number[] = []
  await standInFor(url, server, async (replayed) => {
    const side = { run: () => client(replayed), processes: { pids: () => [], cpuSeconds: () => 0 } }
    while (taken.length < rounds) taken.push((await measureOnce(side, taken.length + 1)).ms)
  })
  return median(taken)
}

/** A client asks without credentials first. */
function nameOf({ path, headers, body }: Pick<Exchange, 'path' | 'headers' | 'body'>): string {
  const sent = Buffer.isBuffer(body) ? hash('sha1', body) : ''
  return `${path} ${headers.authorization !== undefined} ${sent}`
}
