import t from 'tap'
import { parseFilterSpec } from '../../../src/git/protocol/filter-spec.ts'

const parse = (text: string) => parseFilterSpec(text, { gitFilterPartsMax: 4, gitFilterDepthMax: 3 })
const infinite = Number.POSITIVE_INFINITY

t.test('single filters', async (t) => {
  t.match(parse('blob:none'), { blobMaxBytes: 0, treeDepth: infinite, sparseNames: [] })
  for (const [text, bytes] of Object.entries({
    '0': 0,
    '1': 1,
    '1k': 1024,
    '2M': 2 * 1024 ** 2,
    '3g': 3 * 1024 ** 3,
  })) {
    t.match(parse(`blob:limit=${text}`), { blobMaxBytes: bytes, treeDepth: infinite })
  }
  t.match(parse('tree:0'), { blobMaxBytes: infinite, treeDepth: 0 })
  t.match(parse('tree:1k'), { treeDepth: 1024 })
  for (const type of ['commit', 'tree', 'blob', 'tag']) t.same(parse(`object:type=${type}`).types, new Set([type]))
  t.same(parse('sparse:oid=main:a=b').sparseNames, ['main:a=b'])
})

t.test('combined filters leave out what any of them leaves out', async (t) => {
  const { types, ...rest } = parse('combine:blob:limit=5+tree:3+combine%3atree:2%2bblob:limit=7')
  t.same(rest, { blobMaxBytes: 5, treeDepth: 2, sparseNames: [] })
  t.equal(types.size, 4)
  t.equal(parse('combine:object:type=tree+object:type=blob').types.size, 0)
  t.same(parse('combine:sparse:oid=main%3aa%20b+sparse:oid=x').sparseNames, ['main:a b', 'x'])
  t.same(parse('combine:tree:1'), parse('tree:1'))
})

t.test('what git does not know either', async (t) => {
  const refused: Record<string, RegExp> = {
    'blob:some': /^invalid filter-spec 'blob:some'$/,
    'blob:limit=': /^invalid filter-spec/,
    'blob:limit=-1': /^invalid filter-spec/,
    'blob:limit=1x': /^invalid filter-spec/,
    '': /^invalid filter-spec ''$/,
    'tree:': /expected 'tree:<depth>'/,
    'tree:x': /expected 'tree:<depth>'/,
    'object:type=thing': /'thing' for 'object:type=<type>' is not a valid object type/,
    'sparse:path=x': /support has been dropped/,
    'combine:': /expected something after combine:/,
    'combine:blob:none+': /^invalid filter-spec ''$/,
    'combine:sparse:oid=a b': /must escape char in sub-filter-spec: ' '/,
    [`x${'y'.repeat(1_000)}`]: /^invalid filter-spec 'xy{79}'$/,
  }
  for (const [text, message] of Object.entries(refused)) {
    t.throws(() => parse(text), { code: 'InputInvalid', message }, text)
  }
  t.throws(() => parse(`combine:${Array.from({ length: 5 }, () => 'tree:1').join('+')}`), { code: 'InputTooLarge' })
})

t.test('characters that must be escaped', async (t) => {
  const escaped = new Set('~`!@#$^&*()[]{}\\;\'",<>?')
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code)
    const text = `combine:sparse:oid=${character}x`
    if (character === '+' || character === '%') continue
    if (code > 32 && !escaped.has(character)) t.same(parse(text).sparseNames, [`${character}x`])
    else t.throws(() => parse(text), { code: 'InputInvalid', message: /must escape char/ }, `character ${code}`)
  }
})

t.test('combined filters in combined filters, to a depth', async (t) => {
  t.match(parse(`${'combine:'.repeat(3)}tree:1`), { treeDepth: 1 })
  t.throws(() => parse(`${'combine:'.repeat(4)}tree:1`), { code: 'InputTooLarge' })
  t.throws(() => parse(`${'combine:'.repeat(8_000)}tree:1`), { code: 'InputTooLarge' })
})
