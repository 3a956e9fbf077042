/** What is shown of received objects, without making anything for those that nobody looks at. */
import t from 'tap'
import { ShownObject } from '../../../src/git/pack/received-object.ts'
import { made } from '../../support/objects.ts'

t.test('one after the other, each with its own id and data', async (t) => {
  const shown = new ShownObject()
  for (const { type, id, data } of [made('blob', 'first'), made('tree', ''), made('blob', 'a longer one')]) {
    const ids = Buffer.concat([Buffer.alloc(20), Buffer.from(id, 'hex'), Buffer.alloc(20)])
    const buffer = Buffer.concat([Buffer.from('room'), data, Buffer.from('what is left of another')])
    const object = shown.show({ type, sizeBytes: data.length, ids, idAt: 20 }, buffer, 4)
    t.match(object, { type, id, sizeBytes: data.length, data })
  }
})

t.test('a prefix lies within the data', async (t) => {
  const shown = new ShownObject()
  const beginsWith = (prefix: string, content: Buffer | undefined) =>
    shown
      .show({ type: 'blob', sizeBytes: 3, ids: Buffer.alloc(20), idAt: 0 }, content, 1)
      .beginsWith(Buffer.from(prefix))
  const content = Buffer.from('-abcdef')
  t.same(
    ['', 'a', 'abc', 'abcd', 'b'].map((prefix) => beginsWith(prefix, content)),
    [true, true, true, false, false],
  )
  t.notOk(beginsWith('a', undefined))
  t.notOk(beginsWith('', undefined), 'not shown')
})
