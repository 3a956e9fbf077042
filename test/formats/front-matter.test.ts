import t from 'tap'
import { frontMatterMaxBytes, readFrontMatter } from '../../src/formats/front-matter.ts'

const read = (yaml: string) => readFrontMatter(`---\n${yaml}\n---\n# Title\n`)

t.test('metadata between dashes', async (t) => {
  t.same(read('license: mit\nlanguage:\n- no\n- en').metadata, { license: 'mit', language: ['no', 'en'] })
  t.same(readFrontMatter('\uFEFF---\r\nlicense: mit\r\ntags: [a]\r\n---\r\nText').metadata, {
    license: 'mit',
    tags: ['a'],
  })
  t.same(readFrontMatter('\n\n---\nlicense: mit\n---').metadata, { license: 'mit' })
  t.same(read('date: 2024-01-01\nversion: 1.10\nsize: 1_000').metadata, {
    date: '2024-01-01',
    version: 1.1,
    size: '1_000',
  })
  t.same(read('# nothing').metadata, {})
})

t.test('what has none', async (t) => {
  for (const readme of ['', '# Title\n---\nlicense: mit\n---\n', '---\nlicense: mit\n', '----\na: b\n----\n']) {
    t.same(readFrontMatter(readme), { metadata: undefined, problem: undefined })
  }
})

t.test('what cannot be read says where', async (t) => {
  t.match(read('license: mit\ntags: [a').problem, /not valid YAML.*line \d/)
  t.match(read('a: b: c').problem, /line 2/)
  t.match(read('a: 1\na: 2').problem, /not valid YAML/)
  t.match(read('- a\n- b').problem, /not a list of "key: value" lines/)
  t.match(read('just text').problem, /not a list/)
  t.match(read('a: !!js/function x').problem, /not valid YAML/)
})

t.test('nothing in it takes memory without end', async (t) => {
  const levels = Array.from({ length: 30 }, (_, level) => `a${level + 1}: &a${level + 1} [*a${level}, *a${level}]`)
  t.match(read(['a0: &a0 [x]', ...levels].join('\n')).problem, /aliases/)
  t.match(read(`a: ${'['.repeat(100)}${']'.repeat(100)}`).problem, /nesting|depth/i)
  t.match(read('a: &a [*a]').problem, /./)
  const doubled = Array.from({ length: 4 }, (_, level) => `a${level + 1}: &a${level + 1} [*a${level}, *a${level}]`)
  t.match(read([`a0: &a0 ${'x'.repeat(frontMatterMaxBytes / 2)}`, ...doubled].join('\n')).problem, /aliases/)
  t.match(read([`a0: &a0 x`, ...doubled].join('\n')).metadata, { a1: ['x', 'x'] })
  t.match(read(`a: ${'x'.repeat(frontMatterMaxBytes)}`).problem, /longer/)
  t.same(read(`a: ${'x'.repeat(frontMatterMaxBytes - 10)}`).problem, undefined)
})

t.test('a key named like a prototype is a key', async (t) => {
  const { metadata } = read('__proto__:\n  polluted: true\nlicense: mit')
  t.equal(metadata?.license, 'mit')
  t.equal(({} as { polluted?: boolean }).polluted, undefined)
})
