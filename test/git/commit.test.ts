import t from 'tap'
import { commitIds, committerSeconds, formatCommit, parseCommit } from '../../src/git/commit.ts'
import type { ObjectId } from '../../src/git/object-id.ts'

const [treeId, parentId] = ['a'.repeat(40) as ObjectId, '0123456789'.repeat(4) as ObjectId]
const author = { name: 'Ada', email: 'ada@example.org', seconds: 1_700_000_000, timezone: '+0100' }
const committer = { ...author, seconds: 1_800_000_000 }

t.test('what is formatted is parsed', async (t) => {
  const message = 'Grüße\n\nauthor not this one\n'
  const data = formatCommit({ treeId, parentIds: [parentId, treeId], author, committer, message })
  t.same(parseCommit(data), { treeId, parentIds: [parentId, treeId], author, committer, encoding: undefined, message })
  t.equal(commitIds(data).toString('hex'), `${treeId}${parentId}${treeId}`)
  t.equal(committerSeconds(data), committer.seconds)
})

t.test('an identity cannot break out of its line', async (t) => {
  const evil = { ...author, name: 'A\ncommitter B <b> 1', email: 'x>\n' }
  const data = formatCommit({ treeId, parentIds: [], author: evil, committer, message: '' })
  t.equal(parseCommit(data).author.name, 'Acommitter B b 1')
  t.equal(committerSeconds(data), committer.seconds)
})

t.test('old and broken commits', async (t) => {
  const date = (line: string) => committerSeconds(Buffer.from(`tree ${treeId}\nauthor A <a> 1 +0000\n${line}`))
  t.equal(date('committer A <a> 5 +051800\n\nx'), 5)
  t.equal(date('committer A <a>5'), 0, 'no end of line')
  t.equal(date('committer A 5\n'), 0)
  t.equal(date('encoding x\n'), 0)
  t.equal(date('committer A <a> <b> 7 +0000\n'), 7, 'the last bracket counts')
  t.throws(() => commitIds(Buffer.from('tree x')), { code: 'ObjectInvalid' })
  t.throws(() => commitIds(Buffer.from(`tree ${treeId}\nparent ${'x'.repeat(40)}\n`)), { code: 'ObjectInvalid' })
  t.equal(parseCommit(Buffer.from(`tree ${treeId}\nencoding latin1\n`)).encoding, 'latin1')
})
