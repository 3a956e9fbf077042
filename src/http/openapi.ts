/** The routes as an OpenAPI 3.1 document: made from the schemas by which they check their input, so it cannot go stale. */
import type { FastifyInstance, RouteOptions } from 'fastify'

declare module 'fastify' {
  interface FastifySchema {
    /** What the route is for, in a few words. */
    summary?: string
  }
}

/** Doors whose routes the document leaves out: protocols with documents of their own, and pages. */
const undocumentedDoors = new Set(['git', 'web'])

interface Operation {
  tags: string[]
  summary?: string
  security: Record<string, string[]>[]
  parameters: object[]
  requestBody?: object
  responses: Record<string, object>
}

interface ObjectSchema {
  properties?: Record<string, object>
  required?: string[]
}

const failure = {
  description: 'What went wrong: a code in X-Error-Code where clients know one, a sentence in X-Error-Message.',
  content: {
    'application/json': { schema: { type: 'object', properties: { error: { type: 'string' } }, required: ['error'] } },
  },
}

/** Collects every route registered after it, and serves them at `/api/openapi.json`. */
export function documentRoutes(server: FastifyInstance, version: string): void {
  const routes: RouteOptions[] = []
  // Only noted: the door is written into it by a later hook.
  server.addHook('onRoute', (route) => void routes.push(route))
  let text: string | undefined
  server.register(async (room) => {
    room.get('/api/openapi.json', {
      config: { access: 'public', door: 'api' },
      schema: { summary: 'This document' },
      handler: async (_request, reply) => {
        text ??= JSON.stringify(writeDocument(routes, version))
        return reply.type('application/json; charset=utf-8').send(text)
      },
    })
  })
}

function writeDocument(routes: readonly RouteOptions[], version: string) {
  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of routes) {
    if (undocumentedDoors.has(route.config?.door ?? '')) continue
    const path = route.url.replace(/:(\w+)/g, '{$1}').replace('*', '{wildcard}')
    for (const method of [route.method].flat().map((name) => name.toLowerCase())) {
      if (method === 'head' || method === 'options') continue
      paths[path] = { ...paths[path], [method]: describeRoute(route) }
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Holdfast',
      version,
      description: 'The calls of the Hugging Face Hub that this server answers, and its LFS and operating addresses.',
    },
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' }, basic: { type: 'http', scheme: 'basic' } },
    },
  }
}

function describeRoute({ url, schema, config }: RouteOptions): Operation {
  const body = schema?.body as object | undefined
  const names = [...url.matchAll(/:(\w+)|\*/g)].map(([, name = 'wildcard']) => name)
  return {
    tags: [config?.door ?? 'api'],
    ...(schema?.summary !== undefined && { summary: schema.summary }),
    security: securityOf(config?.access),
    parameters: [
      ...names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      ...parametersIn('query', schema?.querystring as ObjectSchema | undefined),
    ],
    ...(body !== undefined && { requestBody: { content: { 'application/json': { schema: body } } } }),
    responses: { ...responsesOf(schema?.response as Record<string, object> | undefined), default: failure },
  }
}

function parametersIn(place: string, schema: ObjectSchema | undefined): object[] {
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: schema?.required?.includes(name) ?? false,
    schema: property,
  }))
}

/** Public repositories are read by anybody: credentials are one way, none another. */
function securityOf(access: unknown): Operation['security'] {
  const signedIn: Operation['security'] = [{ bearer: [] }, { basic: [] }]
  if (access === 'public') return []
  return access === 'account' || access === 'write' || access === 'admin' ? signedIn : [{}, ...signedIn]
}

function responsesOf(schemas: Record<string, object> | undefined): Record<string, object> {
  const entries = Object.entries(schemas ?? {})
  if (entries.length === 0) return { '200': { description: 'Done.' } }
  return Object.fromEntries(
    entries.map(([status, schema]) => [status, { description: 'Done.', content: { 'application/json': { schema } } }]),
  )
}
