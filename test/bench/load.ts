/** Load by wrk, which sends the same requests again and again over connections that stay open. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../support/git.ts'
import { authorizationOf, type Exchange } from './exchange.ts'

export interface Load {
  url: string
  /** Sent in this order by each connection's thread, over and over. */
  exchanges: readonly Exchange[]
  connections: number
  seconds: number
  /** Between an answer and the next request. */
  pauseMs?: number
}

export interface LoadFigures {
  perSecond: number
  requests: number
  p50Ms: number
  p99Ms: number
}

/** Applies the load from a process of its own. Throws where an answer was an error. */
export async function applyLoad(folder: string, load: Load): Promise<LoadFigures> {
  const script = join(folder, `load-${process.hrtime.bigint()}.lua`)
  writeFileSync(script, scriptOf(load))
  try {
    const { origin } = new URL(load.url)
    const threads = load.connections === 1 ? '1' : '2'
    const size = ['--threads', threads, '--connections', String(load.connections)]
    const ran = await run('wrk', [...size, '--duration', `${load.seconds}s`, '--timeout', '30s', '-s', script, origin])
    const line = /^FIGURES (.*)$/m.exec(ran.stdout)
    if (ran.status !== 0 || line === null) throw new Error(`wrk: ${ran.stdout}${ran.stderr}`)
    const { failures, ...figures } = JSON.parse(line[1]) as LoadFigures & { failures: number }
    if (failures > 0 || figures.requests === 0) throw new Error(`${failures} of ${figures.requests} requests failed`)
    return figures
  } finally {
    rmSync(script)
  }
}

function scriptOf({ url, exchanges, pauseMs }: Load): string {
  const requests = exchanges.map(({ method, path, headers, body }) => {
    const all = Object.entries({ ...headers, ...authorizationOf(url) })
    const table = all.map(([name, value]) => `[${quote(name)}] = ${quote(value)}`).join(', ')
    return `  wrk.format(${quote(method)}, ${quote(path)}, {${table}}, ${quote(body as Buffer)}),`
  })
  return `
local requests
local turn = 0
function init()
  requests = {
${requests.join('\n')}
  }
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
${pauseMs === undefined ? '' : `function delay() return ${pauseMs} end`}
function done(summary, latency)
  local failed = summary.errors
  io.write(string.format('FIGURES {"perSecond": %f, "requests": %d, "p50Ms": %f, "p99Ms": %f, "failures": %d}\\n',
    summary.requests / (summary.duration / 1e6), summary.requests,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
`
}

/** A string of Lua: its decimal escapes hold any byte. */
function quote(value: string | Buffer): string {
  const bytes = Buffer.from(value)
  return `"${[...bytes].map((byte) => `\\${String(byte).padStart(3, '0')}`).join('')}"`
}
