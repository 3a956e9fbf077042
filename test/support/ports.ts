/**
 * Free loopback ports for servers that are told theirs. They lie below the range from which the system gives ports to outgoing
 * connections: there one of thousands of these could take a port between the search and the server's start, or while a killed server is away.
 */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

const lowestPort = 10_000
/** Linux gives outgoing connections ports from 32768 on (net.ipv4.ip_local_port_range). */
const endPort = 32_768
const attemptsMax = 100

/** A loopback port on which nobody listens at present, picked at random so that test processes side by side rarely pick the same. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const port = randomInt(lowestPort, endPort)
    if (await isFree(port)) return port
  }
  throw new Error(`No free port was found between ${lowestPort} and ${endPort}.`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    const listening = once(server, 'listening')
    server.listen(port, '127.0.0.1')
    await listening
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
