import t from 'tap'
import { formatReaders, formatTasks } from '../../src/formats/worker.ts'
import { openWorkers } from '../support/workers.ts'

t.test('a thread reads what is read here', async (t) => {
  t.same(Object.keys(formatTasks), Object.keys(formatReaders))
  const workers = openWorkers(t, 1)
  const readme = '---\nlicense: mit\n---\n'
  t.same(await workers.run('readFrontMatter', readme), formatReaders.readFrontMatter(readme))
  const header = Buffer.from('{"a":{"dtype":"F32","shape":[2,2]}}')
  t.same(await workers.run('countParameters', header), { parameters: { F32: 4 }, total: 4 })
  t.same(await workers.run('listShards', Buffer.from('{"weight_map":{"a":"b"}}')), ['b'])
  t.match(await workers.run('readModelConfig', { 'config.json': Buffer.from('{"model_type":"x"}') }), {
    config: { model_type: 'x' },
  })
  t.equal(await workers.run('readGguf', Buffer.from('GGUF')), 'more')
})
