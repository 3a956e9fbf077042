import { randomBytes } from 'node:crypto'
import t from 'tap'
import { parseCommitLines } from '../../../src/http/api/commit-lines.ts'
import { splitContent } from '../../../src/http/api/long-lines.ts'

const limits = { commitLineMaxBytes: 2 ** 22, commitLinesMax: 10 }

async function parse(text: string | Buffer, pieceBytes = 1000) {
  const bytes = Buffer.from(text)
  const body = (async function* () {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
  })()
  const lines = []
  for await (const line of parseCommitLines(body, limits)) lines.push(line)
  return lines
}

const header = '{"key":"header","value":{"summary":"x"}}\n'
const fileLine = (value: object) => `${JSON.stringify({ key: 'file', value })}\n`

t.test('lines come out whole, wherever the pieces end', async (t) => {
  const text = `${header}${fileLine({ path: 'ä', content: 'ö', encoding: 'utf-8' })}{"key":"deletedFile","value":{"path":"x"}}`
  for (const pieceBytes of [1, 7, 40, 1000]) {
    t.match(await parse(text, pieceBytes), [
      { key: 'header', summary: 'x', description: '' },
      { key: 'file', path: 'ä', content: Buffer.from('ö') },
      { key: 'deletedFile', path: 'x' },
    ])
  }
})

t.test('a large file is the same in whatever order its line tells of it', async (t) => {
  const content = randomBytes(1_000_001)
  const base64 = content.toString('base64')
  for (const value of [
    { content: base64, path: 'x', encoding: 'base64' },
    { path: 'say "content": "no"', content: base64, encoding: 'base64' },
    { path: 'x', oldPath: '"content":"', encoding: 'base64', content: base64 },
  ]) {
    const [, line] = await parse(header + fileLine(value), 65_536)
    t.match(line, { key: 'file', path: value.path })
    t.ok((line as { content: Buffer }).content.equals(content))
  }
  const plain = 'ä"\n'.repeat(100_000)
  const [, line] = await parse(header + fileLine({ path: 'x', content: plain, encoding: 'utf-8' }), 65_536)
  t.equal((line as { content: Buffer }).content.toString(), plain)
  const ascii = 'abcd'.repeat(100_000)
  const [, other] = await parse(header + fileLine({ path: 'x', content: ascii, encoding: 'utf-8' }), 65_536)
  t.equal((other as { content: Buffer }).content.toString(), ascii)
  const nested = { path: 'x', other: { content: base64 }, content: 'YQ==', encoding: 'base64' }
  const [, inner] = await parse(header + fileLine(nested), 65_536)
  t.equal((inner as { content: Buffer }).content.toString(), 'a')
})

t.test('a large file that is no base64 is refused', async (t) => {
  const base64 = randomBytes(300_000).toString('base64')
  for (const content of [`${base64}A`, `${base64.slice(0, -4)}&&&&`, `${base64.slice(0, 4000)}====${base64}`]) {
    await t.rejects(parse(header + fileLine({ path: 'x', content, encoding: 'base64' }), 65_536), {
      code: 'InputInvalid',
    })
  }
  t.equal(splitContent(Buffer.from('{"content":"abc')), undefined)
})
