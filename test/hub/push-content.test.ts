/** What a person reads whose push holds files too large, or pointers without content. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { objectIdBytes } from '../../src/git/object-id.ts'
import { BlobNotes } from '../../src/git/pack/noted-blobs.ts'
import { type ReceivedObject, ShownObject } from '../../src/git/pack/received-object.ts'
import { blobsToNote, explainMissingLfs, explainOversize, readContent } from '../../src/hub/push-content.ts'
import { pointerMaxBytes } from '../../src/lfs/pointer.ts'
import { type MadeObject, made, makeCommit, makeTree, openObjects } from '../support/objects.ts'

const oidOf = (content: string) => createHash('sha256').update(content).digest('hex')
const pointerTo = (content: string) =>
  made(
    'blob',
    `version https://git-lfs.github.com/spec/v1\noid sha256:${oidOf(content)}\nsize ${Buffer.byteLength(content)}\n`,
  )
const seen = ({ type, id, data }: MadeObject): ReceivedObject =>
  new ShownObject().show({ type, sizeBytes: data.length, ids: objectIdBytes(id), idAt: 0 }, data)

/** What the rules see of a pack that holds these objects. */
async function contentOf(objects: ReceivedObject[], limits: { gitBlobMaxBytes: number; pushPointersMax: number }) {
  const notes = new BlobNotes(blobsToNote(limits))
  for (const object of objects) notes.visit(object)
  return await readContent(notes.noted, limits)
}

t.test('the limit is the largest size that passes', async (t) => {
  const [fits, large] = [made('blob', 'x'.repeat(100)), made('blob', 'x'.repeat(101))]
  const tree = makeTree(Object.fromEntries([['a'.repeat(200), fits]]))
  const content = await contentOf(
    [fits, large, tree].map((object) => seen(object)),
    { gitBlobMaxBytes: 100, pushPointersMax: 100 },
  )
  t.same(content.oversizeBlobs, [{ id: large.id, sizeBytes: 101 }])
})

t.test('pointers are blobs below the size that a pointer may have', async (t) => {
  const pointer = pointerTo('weights')
  const padded = made('blob', Buffer.concat([pointerTo('other').data, Buffer.alloc(pointerMaxBytes, 'x')]))
  const objects: ReceivedObject[] = [
    seen(pointer),
    seen(made('blob', 'version 2 of nothing')),
    new ShownObject().show({ type: 'blob', sizeBytes: 130, ids: objectIdBytes(pointer.id), idAt: 0 }),
    seen(padded),
    seen({ ...pointerTo('message'), type: 'commit' }),
  ]
  const content = await contentOf(objects, { gitBlobMaxBytes: 1_000_000, pushPointersMax: 100 })
  t.same([...content.pointers.values()], [{ lfsOid: oidOf('weights'), sizeBytes: 7, blobId: pointer.id }])
})

t.test('so many pointers and no more', async (t) => {
  const limits = { gitBlobMaxBytes: 1_000_000, pushPointersMax: 2 }
  const pointers = ['one', 'two', 'three'].map(pointerTo).map((object) => seen(object))
  t.equal((await contentOf(pointers.slice(0, 2), limits)).pointers.size, 2)
  await t.rejects(contentOf(pointers, limits), { code: 'InputTooLarge' })
})

t.test('twenty files are listed, the rest is counted; names are shown as they are', async (t) => {
  const name = (number: number) => (number === 0 ? Buffer.from('größer.bin').toString('latin1') : `f${number}.bin`)
  const contents = Array.from({ length: 22 }, (_, number) => `content ${number}`)
  const files = contents.map(pointerTo)
  const tree = makeTree(Object.fromEntries(files.map((file, number) => [name(number), file])))
  const commit = makeCommit(tree)
  const { objects } = await openObjects([...files, tree, commit])
  const content = await contentOf(
    files.map((object) => seen(object)),
    { gitBlobMaxBytes: 10, pushPointersMax: 100 },
  )

  const large = await explainOversize(objects, [commit.id], content, 10)
  t.match(large, /larger than 10 bytes/)
  t.match(large, `  größer.bin (${files[0].data.length} bytes)\n`)
  t.match(large, /\n {2}… and 2 more\nTrack them with Git LFS/)
  t.equal(large.split('\n').filter((line) => line.endsWith(' bytes)')).length, 20)

  const claims = contents.slice(0, 20).map((content) => ({
    lfsOid: oidOf(content),
    sizeBytes: Buffer.byteLength(content),
    heldBytes: content === 'content 1' ? 8 : undefined,
  }))
  const missing = await explainMissingLfs(objects, [commit.id], content, claims)
  t.match(missing, `  größer.bin (${oidOf('content 0')})\n`)
  t.match(missing, `  f1.bin (${oidOf('content 1')}): has 8 bytes, its pointer says 9\n`)
  t.notMatch(missing, 'more')
  t.match(missing, /\n {2}git lfs push --all <remote>\n$/)
})

t.test('a blob that lies in no tree is named by its id', async (t) => {
  const lost = made('blob', 'too large')
  const [tree] = [makeTree()]
  const commit = makeCommit(tree)
  const { objects } = await openObjects([lost, tree, commit])
  const content = { pointers: new Map(), oversizeBlobs: [{ id: lost.id, sizeBytes: 9 }], oversizeCount: 1 }
  t.match(await explainOversize(objects, [commit.id], content, 5), `  ${lost.id} (9 bytes)\n`)
})
