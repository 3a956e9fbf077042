import t from 'tap'
import { findWrongFields, textOf, textsOf } from '../../src/formats/card-fields.ts'

t.test('one text, or a list of them', async (t) => {
  const card = { license: 'mit', language: ['en', 'en', 1, ''], tags: null, sdk: 3 }
  t.same(textsOf(card, 'license'), ['mit'])
  t.same(textsOf(card, 'language'), ['en'])
  t.same(textsOf(card, 'tags'), [])
  t.same(textsOf(undefined, 'tags'), [])
  t.equal(textOf(card, 'license'), 'mit')
  t.equal(textOf(card, 'sdk'), undefined)
})

t.test('fields of the wrong shape', async (t) => {
  t.same(findWrongFields({ license: 'mit', language: ['en'], tags: null, anything: { goes: 1 } }), [])
  t.same(findWrongFields({ pipeline_tag: ['a'], tags: { a: 1 }, 'model-index': {} }), [
    '"pipeline_tag" must be a string',
    '"tags" must be a string, or an array of strings',
    '"model-index" must be an array',
  ])
})
