import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { getPriority } from 'node:os'
import { promisify } from 'node:util'
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

t.test('who may goes ahead, if nobody has chosen a priority for the process', async (t) => {
  const module = new URL('../../src/disk/thread-priority.ts', import.meta.url)
  const code = `
    const { getPriority, setPriority } = require('node:os')
    const mayRaise = (() => { try { setPriority(-1); setPriority(0); return true } catch { return false } })()
    import('${module}').then(({ raiseThreadPriority }) => {
      raiseThreadPriority()
      const first = getPriority()
      setPriority(7)
      raiseThreadPriority()
      console.log(JSON.stringify([process.platform === 'linux' && mayRaise ? -5 : 0, first, getPriority()]))
    })`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', code])
  const [expected, first, second] = JSON.parse(stdout)
  t.equal(first, expected)
  t.equal(second, 7)
})
