/** The server with all doors, answering. */
import type { Hub } from '../hub/hub.ts'
import { type ListeningServer, listenOn } from './listening.ts'
import { createServer } from './server.ts'

/**
 * Listens on HOST and PORT. Where PORT is 0 and nothing else was configured, the public URL becomes the address that the
 * system chose. Rejects when the address is taken, and when a route declares no access.
 */
export async function startListening(hub: Hub): Promise<ListeningServer> {
  const { config } = hub
  const listening = await listenOn(createServer(hub), { ...config, remedy: 'Set HOST and PORT.' })
  const { url } = listening
  if (config.port === 0 && config.publicUrl.endsWith(':0')) config.publicUrl = url
  return listening
}
