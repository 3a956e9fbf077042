/** /healthz: this process answers. /readyz: it can also do its work (database and bucket answer, and it is not stopping). */
import type { FastifyPluginAsync } from 'fastify'
import type { Hub } from '../hub/hub.ts'

/** The two routes that balancers and supervisors ask. */
export function healthRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    const options = { config: { access: 'public' as const, isUncounted: true as const } }
    server.get('/healthz', options, async () => ({ status: 'ok' }))
    server.get('/readyz', options, async (_request, reply) => {
      const checks = { database: () => hub.database.query('select 1'), bucket: () => hub.bucket.stat('readyz') }
      const results = await Promise.all(Object.entries(checks).map(([name, check]) => isWorking(hub, name, check)))
      const isReady = results.every(([, works]) => works)
      return reply
        .code(isReady ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({ status: isReady ? 'ok' : 'unavailable', ...Object.fromEntries(results) })
    })
  }
}

async function isWorking(hub: Hub, name: string, check: () => Promise<unknown>): Promise<[string, boolean]> {
  const { readyTimeoutMs } = hub.config.limits
  let timer: NodeJS.Timeout | undefined
  try {
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${readyTimeoutMs} ms`)), readyTimeoutMs)
    })
    await Promise.race([check(), late])
    return [name, true]
  } catch (error) {
    hub.logger.warn({ err: error, check: name }, 'not ready')
    return [name, false]
  } finally {
    clearTimeout(timer)
  }
}
