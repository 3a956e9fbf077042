/** Bodies as HTML forms write them: what huggingface_hub sends for some calls. */
import type { FastifyInstance } from 'fastify'

/** Makes the routes of `server` take forms beside JSON; a key that is repeated becomes a list. */
export function takeForms(server: FastifyInstance): void {
  server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    // In one pass: `getAll` looks through the whole form for each of as many names as somebody likes.
    const valuesOf = new Map<string, string[]>()
    for (const [name, value] of new URLSearchParams(body as string)) {
      const values = valuesOf.get(name)
      if (values === undefined) valuesOf.set(name, [value])
      else values.push(value)
    }
    const entries = Array.from(valuesOf, ([name, values]) => [name, values.length === 1 ? values[0] : values])
    done(null, Object.fromEntries(entries))
  })
}
