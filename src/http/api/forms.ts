/** Bodies as HTML forms write them: what huggingface_hub sends for some calls. */
import type { FastifyInstance } from 'fastify'

/** Makes the routes of `server` take forms beside JSON; a key that is repeated becomes a list. */
export function takeForms(server: FastifyInstance): void {
  server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    const form = new URLSearchParams(body as string)
    const entries = [...new Set(form.keys())].map((name) => {
      const values = form.getAll(name)
      return [name, values.length === 1 ? values[0] : values]
    })
    done(null, Object.fromEntries(entries))
  })
}
