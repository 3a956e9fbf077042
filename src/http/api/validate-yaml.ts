/** What is wrong with a card, before it is uploaded: huggingface_hub asks with every README.md (hub-api.md §2.16). */
import type { FastifyPluginAsync } from 'fastify'
import { type Static, Type } from 'typebox'
import { checkCard } from '../../hub/cards.ts'
import type { Hub } from '../../hub/hub.ts'

const CardRequest = Type.Object({ content: Type.String(), repoType: Type.Optional(Type.String()) })

/** The route `/api/validate-yaml`: 200, or 400 where there are errors; the body is the same. */
export function validateYamlRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    server.post('/api/validate-yaml', {
      config: { access: 'public' },
      schema: { body: CardRequest },
      handler: async (request, reply) => {
        const found = await checkCard(hub, (request.body as Static<typeof CardRequest>).content)
        const [errors, warnings] = [found.errors, found.warnings].map((all) => all.map((message) => ({ message })))
        return reply.code(errors.length > 0 ? 400 : 200).send({ errors, warnings })
      },
    })
  }
}
