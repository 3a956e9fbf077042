import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { LfsOid } from '../../src/lfs/oid.ts'
import { parsePointer, pointerMaxBytes, writePointer } from '../../src/lfs/pointer.ts'

const oid = '4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393' as LfsOid
const version = 'version https://git-lfs.github.com/spec/v1'
const canonical = `${version}\noid sha256:${oid}\nsize 12345\n`

function parse(text: string) {
  return parsePointer(Buffer.from(text))
}

t.test('the canonical pointer is read and written', async (t) => {
  t.same(parse(canonical), { lfsOid: oid, sizeBytes: 12345 })
  t.equal(writePointer({ lfsOid: oid, sizeBytes: 12345 }), canonical)
  t.equal(writePointer({ lfsOid: oid, sizeBytes: 0 }), '')
})

t.test('what git-lfs writes is what we write', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-pointer-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'content')
  await writeFile(file, randomBytes(4321))
  const text = execFileSync('git', ['lfs', 'pointer', `--file=${file}`], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const pointer = parsePointer(text)
  t.ok(pointer)
  t.equal(writePointer(pointer!), text.toString())
})

t.test('whatever git-lfs would replace is a pointer', async (t) => {
  const pointer = { lfsOid: oid, sizeBytes: 12345 }
  t.same(parse(canonical.trimEnd()), pointer, 'without the last newline')
  t.same(parse(canonical.replaceAll('\n', '\r\n')), pointer, 'with carriage returns')
  t.same(parse(canonical.replace('git-lfs.github.com', 'hawser.github.com')), pointer, 'the pre-release version')
  t.same(parse(`${version}\next-0-foo sha256:${oid}\noid sha256:${oid}\nsize 12345\n`), pointer, 'with an extension')
})

t.test('what is no pointer is none', async (t) => {
  const texts = {
    empty: '',
    'no version': `oid sha256:${oid}\nsize 12345\n`,
    'another version': canonical.replace('spec/v1', 'spec/v2'),
    'version not first': `oid sha256:${oid}\nsize 12345\n${version}\n`,
    'keys not sorted': `${version}\nsize 12345\noid sha256:${oid}\n`,
    'a key twice': `${canonical}size 12345\n`,
    'another hash': canonical.replace('sha256', 'sha1'),
    'a short oid': canonical.replace(oid, oid.slice(1)),
    'an oid in capitals': canonical.replace(oid, oid.toUpperCase()),
    'no size': `${version}\noid sha256:${oid}\n`,
    'a negative size': canonical.replace('12345', '-1'),
    'a fractional size': canonical.replace('12345', '1.5'),
    'a size past 2^53': canonical.replace('12345', '9007199254740993'),
    'two spaces': canonical.replace('size 12345', 'size  12345'),
    'text behind': `${canonical}\nmore\n`,
  }
  for (const [name, text] of Object.entries(texts)) t.equal(parse(text), undefined, name)
  t.equal(parsePointer(Buffer.concat([Buffer.from(canonical), Buffer.from([0xff])])), undefined, 'not UTF-8')
})

t.test('only blobs below the limit are pointers', async (t) => {
  const fill = (length: number) => `${version}\next-0-a ${'x'.repeat(length)}\noid sha256:${oid}\nsize 12345\n`
  const rest = fill(0).length
  t.ok(parse(fill(pointerMaxBytes - 1 - rest)))
  t.equal(parse(fill(pointerMaxBytes - rest)), undefined)
})
