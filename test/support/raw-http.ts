/** HTTP as bytes on a socket: for what no HTTP client would send. */
import { connect, type Socket } from 'node:net'

export interface RawConnection {
  socket: Socket
  write(text: string | Uint8Array): void
  /** Resolves once everything received so far matches; rejects when the connection ends before. */
  until(pattern: RegExp): Promise<string>
  /** Everything received until the server closed the connection. */
  rest(): Promise<string>
}

export function openRaw(server: URL): RawConnection {
  const socket = connect(Number(server.port), server.hostname)
  let received = ''
  let isClosed = false
  const waiters = new Set<() => void>()
  const wake = () => {
    for (const waiter of waiters) waiter()
  }
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
    wake()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    isClosed = true
    wake()
  })
  const wait = (isDone: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!isDone()) return
        waiters.delete(look)
        resolve()
      }
      waiters.add(look)
      look()
    })
  return {
    socket,
    write: (text) => socket.write(text),
    async until(pattern) {
      await wait(() => isClosed || pattern.test(received))
      if (!pattern.test(received)) throw new Error(`closed before ${pattern}: ${received}`)
      return received
    },
    async rest() {
      await wait(() => isClosed)
      return received
    },
  }
}
