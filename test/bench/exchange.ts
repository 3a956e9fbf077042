/**
 * Git's requests without Git: a real client's requests are recorded on their way through a proxy, and sent again over a
 * plain socket. So the server's work is measured without the client's own, which is often the larger part.
 */
import { once } from 'node:events'
import { createReadStream, statSync } from 'node:fs'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  request as sendRequest,
} from 'node:http'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

export interface Exchange {
  method: string
  /** With the query. */
  path: string
  headers: Record<string, string>
  body: Buffer | { file: string; before: Buffer }
}

export interface Answer {
  /** Head and body as they came. */
  bytes: number
  start: string
  end: string
}

/** What a server answered, whole. */
export interface GivenAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

const keptHeaders = ['content-type', 'content-encoding', 'git-protocol', 'accept', 'authorization']
const readBytes = 256 * 1024
const keptBytes = 4 * 1024

/**
 * The requests that `client` sends when it is given an address that leads to `url`, and to nowhere else. With `onAnswer` each
 * answer is kept in memory on its way, and told along with its request.
 */
export async function record(
  url: string,
  client: (url: string) => Promise<unknown>,
  onAnswer?: (exchange: Exchange, answer: GivenAnswer) => void,
): Promise<Exchange[]> {
  const target = new URL(url)
  const exchanges: Exchange[] = []
  const proxy = createServer(async (request, response) => {
    const body = await buffer(request)
    const headers = pickHeaders(request)
    const exchange = { method: request.method ?? 'GET', path: request.url ?? '/', headers, body }
    const to = { host: target.hostname, port: target.port, method: exchange.method, path: exchange.path }
    const forwarded = sendRequest({ ...to, headers: { ...headers, 'content-length': body.length } })
    forwarded.end(body)
    const [answer] = (await once(forwarded, 'response')) as [IncomingMessage]
    // The question that only brings a demand for credentials is not part of the work.
    if (answer.statusCode !== 401) exchanges.push(exchange)
    const { statusCode: status = 500, headers: given } = answer
    response.writeHead(status, given)
    if (onAnswer === undefined) return await pipeline(answer, response)
    const whole = await buffer(answer)
    onAnswer(exchange, { status, headers: given, body: whole })
    response.end(whole)
  })
  await standInFor(url, proxy, client)
  return exchanges
}

/** Lets `client` use the address under which `server` stands in for the one at `url`. */
export async function standInFor(
  url: string,
  server: Server,
  client: (url: string) => Promise<unknown>,
): Promise<void> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const here = new URL(url)
  here.port = String((server.address() as { port: number }).port)
  try {
    await client(here.href)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

export function pickHeaders(request: IncomingMessage): Record<string, string> {
  const found = keptHeaders.map((name) => [name, request.headers[name]])
  return Object.fromEntries(found.filter(([, value]) => typeof value === 'string'))
}

/** Of recorded requests those that fetch objects: of version 2, all that are not about refs. */
export function fetchesIn(exchanges: readonly Exchange[]): Exchange[] {
  return exchanges.filter(({ path, body }) => path.endsWith('/git-upload-pack') && !holds(body, 'command=ls-refs'))
}

function holds(body: Exchange['body'], text: string): boolean {
  return Buffer.isBuffer(body) && body.includes(text)
}

/** The header that the address's user and password stand for. */
export function authorizationOf(url: string): Record<string, string> {
  const { username, password } = new URL(url)
  if (username === '') return {}
  const credentials = Buffer.from(`${username}:${password}`).toString('base64')
  return { authorization: `Basic ${credentials}` }
}

/** Sends one request to the server at `url`, with its credentials, and reads the answer to its end without keeping it. */
export async function send(url: string, { method, path, headers, body }: Exchange): Promise<Answer> {
  const { hostname, port, host } = new URL(url)
  const size = Buffer.isBuffer(body) ? body.length : body.before.length + statSync(body.file).size
  const all = { host, ...headers, ...authorizationOf(url), 'content-length': String(size), connection: 'close' }
  const head = [`${method} ${path} HTTP/1.1`, ...Object.entries(all).map(([name, value]) => `${name}: ${value}`)]
  const { socket, answer } = openSocket(hostname, Number(port))
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  if (Buffer.isBuffer(body)) socket.write(body)
  else {
    socket.write(body.before)
    await pipeline(createReadStream(body.file, { highWaterMark: readBytes }), socket, { end: false })
  }
  return checked(await answer, `${method} ${url}`)
}

function openSocket(host: string, port: number): { socket: Socket; answer: Promise<Answer> } {
  const got = { bytes: 0, start: '', end: '' }
  const onread = {
    buffer: Buffer.allocUnsafe(readBytes),
    callback(length: number, buffer: Uint8Array) {
      const chunk = Buffer.from(buffer.buffer, buffer.byteOffset, length)
      if (got.start.length < keptBytes) got.start += chunk.toString('latin1', 0, keptBytes)
      got.end = (got.end + chunk.toString('latin1', Math.max(0, length - keptBytes))).slice(-keptBytes)
      got.bytes += length
      return true
    },
  }
  const socket = connect({ host, port, onread } as NetConnectOpts)
  const answer = once(socket, 'close').then(() => got)
  return { socket, answer }
}

function checked(answer: Answer, what: string): Answer {
  const isDone = answer.end.includes('0000') && !/[0-9a-f]{4}(ERR|ng) /.test(answer.end)
  if (!/^HTTP\/1\.[01] 200 /.test(answer.start) || !isDone) {
    throw new Error(`${what}: ${answer.bytes} bytes, ${answer.start.slice(0, 600)} … ${answer.end.slice(-300)}`)
  }
  return answer
}
