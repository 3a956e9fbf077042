import t from 'tap'
import type { ObjectId } from '../../src/git/object-id.ts'
import { formatTag, parseTag, type Tag } from '../../src/git/tag.ts'

const objectId = 'a'.repeat(40) as ObjectId

t.test('what is formatted is parsed, with and without a tagger', async (t) => {
  const tagger = { name: 'Ada', email: 'ada@example.org', seconds: 5, timezone: '-0330' }
  for (const tag of [
    { objectId, type: 'commit', name: 'v1', tagger, message: 'one\n' },
    { objectId, type: 'tag', name: 'v2', tagger: undefined, message: '' },
  ] satisfies Tag[]) {
    t.same(parseTag(formatTag(tag)), tag)
  }
  t.throws(() => parseTag(Buffer.from(`object ${objectId}\ntype thing\ntag x\n`)), { code: 'ObjectInvalid' })
})
