import t from 'tap'
import type { FetchHost } from '../../../src/git/host.ts'
import type { ObjectId } from '../../../src/git/object-id.ts'
import { PackSet } from '../../../src/git/pack/pack-set.ts'
import { advertiseRefs } from '../../../src/git/protocol/advertise-refs.ts'
import { dataPacket, delimPacket, flushPacket } from '../../../src/git/protocol/pkt-line.ts'
import { uploadPack } from '../../../src/git/protocol/upload-pack.ts'
import { RefList } from '../../../src/git/ref-list.ts'
import type { RefSnapshot } from '../../../src/git/repository.ts'
import { limits } from '../../support/bare-git-server.ts'

const [a, b] = ['a'.repeat(40), 'b'.repeat(40)] as ObjectId[]
const snapshot: RefSnapshot = {
  headTarget: 'refs/heads/main',
  headId: a,
  refs: RefList.of([
    { name: 'refs/heads/main', id: a, peeledId: undefined },
    { name: 'refs/tags/v1', id: b, peeledId: a },
  ]),
}
const unborn: RefSnapshot = { headTarget: 'refs/heads/main', headId: undefined, refs: RefList.of([]) }
const { signal } = new AbortController()

async function text(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}

const noObjects = new PackSet([], { objectHeldMaxBytes: 0 })
const hostOf = (refs: RefSnapshot) =>
  ({ refs: async () => refs, streamObjects: (using) => using(noObjects) }) as FetchHost

function ask(refs: RefSnapshot, ...packets: Buffer[]): Promise<string> {
  async function* body() {
    yield Buffer.concat(packets)
  }
  return text(uploadPack(hostOf(refs), body(), { version: 2, limits, signal }))
}

function lsRefs(refs: RefSnapshot, ...args: string[]): Promise<string> {
  return ask(
    refs,
    dataPacket('command=ls-refs\n'),
    delimPacket,
    ...args.map((arg) => dataPacket(`${arg}\n`)),
    flushPacket,
  )
}

t.test('ls-refs', async (t) => {
  t.equal(await lsRefs(snapshot), `0032${a} HEAD\n003d${a} refs/heads/main\n003a${b} refs/tags/v1\n0000`)
  t.match(await lsRefs(snapshot, 'symrefs'), `${a} HEAD symref-target:refs/heads/main\n`)
  t.match(await lsRefs(snapshot, 'peel'), `${b} refs/tags/v1 peeled:${a}\n`)
  t.equal(
    await lsRefs(snapshot, 'ref-prefix refs/tags/', 'ref-prefix refs/heads/mainly'),
    `003a${b} refs/tags/v1\n0000`,
  )
  t.equal(await lsRefs(snapshot, 'ref-prefix HEAD'), `0032${a} HEAD\n0000`)
  t.equal(await lsRefs(unborn, 'unborn', 'symrefs'), '002eunborn HEAD symref-target:refs/heads/main\n0000')
  t.equal(await lsRefs(unborn, 'symrefs'), '0000')
  t.equal(await ask(snapshot, dataPacket('command=ls-refs'), flushPacket), await lsRefs(snapshot))
})

t.test('commands that cannot be answered', async (t) => {
  t.match(await lsRefs(snapshot, 'nonsense'), "ERR unexpected line: 'nonsense'")
  t.match(await ask(snapshot, dataPacket('command=nonsense'), flushPacket), "ERR invalid command 'nonsense'")
  t.match(await ask(snapshot, dataPacket('agent=x'), flushPacket), 'ERR no command requested')
  t.match(await ask(snapshot, dataPacket('command=ls-refs')), 'ERR The request ended')
  t.match(await ask(snapshot, dataPacket('command=ls-refs'), delimPacket), 'ERR The request ended')
  t.match(
    await ask(snapshot, dataPacket('command=fetch'), dataPacket('object-format=sha256')),
    'ERR This server keeps sha1',
  )
  t.equal(await ask(snapshot, flushPacket), '')
  t.equal(await ask(snapshot, dataPacket('command=fetch'), flushPacket), '')
})

t.test('advertisements', async (t) => {
  const advertise = (refs: RefSnapshot, version: 0 | 1 | 2, service: 'git-upload-pack' | 'git-receive-pack') =>
    text(advertiseRefs(hostOf(refs), { version, service, smartHttp: true }))
  const v0 = await advertise(snapshot, 0, 'git-upload-pack')
  t.match(v0, /^001e# service=git-upload-pack\n0000/)
  t.match(v0, `${a} HEAD\0multi_ack`)
  t.match(v0, 'symref=HEAD:refs/heads/main')
  t.match(v0, `${a} refs/tags/v1^{}\n0000`)
  t.match(await advertise(snapshot, 1, 'git-upload-pack'), '0000000eversion 1\n')
  t.match(await advertise(unborn, 0, 'git-upload-pack'), `${'0'.repeat(40)} capabilities^{}\0`)
  t.match(await advertise(snapshot, 2, 'git-upload-pack'), /^000eversion 2\n/)
  const push = await advertise(snapshot, 2, 'git-receive-pack')
  t.match(push, /^001f# service=git-receive-pack\n0000/)
  t.match(push, `${a} refs/heads/main\0report-status`)
  t.notMatch(push, 'HEAD')
})

t.test('many refs are written in pieces', async (t) => {
  const names = Array.from({ length: 5_000 }, (_, n) => `refs/heads/b${n}`).sort()
  const refs = RefList.of(names.map((name) => ({ name, id: a, peeledId: undefined })))
  let pieces = 0
  for await (const _ of advertiseRefs(hostOf({ ...unborn, refs }), { version: 0, service: 'git-upload-pack' })) pieces++
  t.ok(pieces > 2 && pieces < 20)
})
