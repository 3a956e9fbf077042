import { once } from 'node:events'
import { getPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import t from 'tap'

t.test('only the thread that asks for it goes behind', async (t) => {
  const before = getPriority()
  const module = new URL('../../src/disk/thread-priority.ts', import.meta.url)
  const code = `
    const { readlinkSync } = require('node:fs')
    const { getPriority } = require('node:os')
    const { parentPort } = require('node:worker_threads')
    import('${module}').then(({ lowerThreadPriority }) => {
      lowerThreadPriority()
      parentPort.postMessage(getPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1))))
    })`
  const [priority] = await once(new Worker(code, { eval: true }), 'message')
  t.equal(priority, process.platform === 'linux' ? 5 : before)
  t.equal(getPriority(), before)
})
