/** /metrics for Prometheus: requests by door and status, bytes, the process. No label names a repository or a user. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'
import type { FastifyPluginAsync } from 'fastify'
import type { Hub } from '../hub/hub.ts'
import type { Transfers } from './limits.ts'

export interface RequestMeasure {
  door: string
  status: number
  durationMs: number
  bytesIn: number
  bytesOut: number
}

export interface Metrics {
  registry: Registry
  observe(measure: RequestMeasure): void
}

/** Metrics of one server, in a registry of its own. */
export function createMetrics(hub: Hub, transfers: Transfers): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  measureLoad(registry, hub, transfers)
  const duration = new Histogram({
    name: 'holdfast_http_request_duration_seconds',
    help: 'Time from the request line to the end of the response',
    labelNames: ['door', 'status'] as const,
    // Up to clones and uploads that take an hour.
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 30, 300, 3600],
    registers,
  })
  const received = new Counter({
    name: 'holdfast_http_received_bytes_total',
    help: 'Bytes received from clients, headers included',
    labelNames: ['door'] as const,
    registers,
  })
  const sent = new Counter({
    name: 'holdfast_http_sent_bytes_total',
    help: 'Bytes sent to clients, headers included',
    labelNames: ['door'] as const,
    registers,
  })
  return {
    registry,
    observe({ door, status, durationMs, bytesIn, bytesOut }) {
      duration.observe({ door, status: String(status) }, durationMs / 1000)
      received.inc({ door }, bytesIn)
      sent.inc({ door }, bytesOut)
    },
  }
}

/** What runs and waits, read when it is asked for. */
function measureLoad(registry: Registry, { repositories }: Hub, transfers: Transfers): void {
  const registers = [registry]
  const kinds = Object.entries(transfers)
  new Gauge({
    name: 'holdfast_transfers',
    help: 'Fetches and pushes that run, and that wait for a place',
    labelNames: ['kind', 'state'] as const,
    registers,
    collect() {
      for (const [kind, { counts }] of kinds) {
        this.set({ kind, state: 'running' }, counts.running)
        this.set({ kind, state: 'queued' }, counts.queued)
      }
    },
  })
  new Gauge({
    name: 'holdfast_transfers_refused',
    help: 'Fetches and pushes refused since the start, because too many ran and waited',
    labelNames: ['kind'] as const,
    registers,
    collect() {
      for (const [kind, { counts }] of kinds) this.set({ kind }, counts.refused)
    },
  })
  new Gauge({
    name: 'holdfast_worker_tasks',
    help: 'Tasks in worker threads',
    registers,
    collect() {
      this.set(repositories.runningTasks())
    },
  })
}

/** The route that Prometheus asks. */
export function metricsRoutes({ registry }: Metrics): FastifyPluginAsync {
  return async (server) => {
    server.get('/metrics', { config: { access: 'public', isUncounted: true } }, async (_request, reply) => {
      return reply.type(registry.contentType).send(await registry.metrics())
    })
  }
}
