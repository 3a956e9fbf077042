/** /metrics for Prometheus: requests by door and status, bytes, the process. No label names a repository or a user. */
import { Counter, collectDefaultMetrics, Histogram, Registry } from '@prometheus-io/client'
import type { FastifyPluginAsync } from 'fastify'

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
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
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

/** The route that Prometheus asks. */
export function metricsRoutes({ registry }: Metrics): FastifyPluginAsync {
  return async (server) => {
    server.get('/metrics', { config: { access: 'public' } }, async (_request, reply) => {
      return reply.type(registry.contentType).send(await registry.metrics())
    })
  }
}
