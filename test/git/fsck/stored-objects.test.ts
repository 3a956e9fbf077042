/** Damage that no checksum of a pack finds, because it was there before the pack was made. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { HoldfastError } from '../../../src/errors.ts'
import { checkObjects } from '../../../src/git/fsck/stored-objects.ts'
import type { ObjectId } from '../../../src/git/object-id.ts'
import type { GitObject, ObjectDatabase, ObjectType } from '../../../src/git/repository.ts'

const identity = 'Ada <ada@example.org> 1700000000 +0000'

function objectOf(type: ObjectType, text: string | Buffer): GitObject & { id: ObjectId } {
  const data = Buffer.from(text)
  const id = createHash('sha1').update(`${type} ${data.length}\0`).update(data).digest('hex') as ObjectId
  return { type, data, id }
}

const entry = (mode: string, name: string, id: string) =>
  Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')])

const blob = objectOf('blob', 'hello\n')
const tree = objectOf('tree', entry('100644', 'hello', blob.id))
const commit = objectOf('commit', `tree ${tree.id}\nauthor ${identity}\ncommitter ${identity}\n\none\n`)
const tag = objectOf('tag', `object ${commit.id}\ntype commit\ntag v1\ntagger ${identity}\n\nv1\n`)

function databaseOf(...objects: (GitObject & { id: ObjectId })[]): ObjectDatabase {
  const unread = (ordinal: number) => objects[ordinal].data.equals(Buffer.from('unreadable'))
  const database: Partial<ObjectDatabase> = {
    ordinalCount: objects.length,
    idOf: (ordinal) => objects[ordinal].id,
    locate: (bytes, offset = 0) => {
      const id = Buffer.from(bytes).toString('hex', offset, offset + 20)
      return objects.findIndex((object) => object.id === id)
    },
    stat: (ordinal) => ({ type: objects[ordinal].type, sizeBytes: objects[ordinal].data.length }),
    read: (ordinal) => {
      if (unread(ordinal)) throw new HoldfastError('PackInvalid')
      return objects[ordinal]
    },
    stream: async function* (ordinal) {
      yield objects[ordinal].data
    },
  }
  return database as ObjectDatabase
}

async function faultsOf(isDeep: boolean, ...objects: (GitObject & { id: ObjectId })[]): Promise<string[]> {
  const faults: string[] = []
  await checkObjects(databaseOf(...objects), { isDeep, onFault: (fault) => faults.push(fault) })
  return faults
}

t.test('whole objects are well and counted, copies once', async (t) => {
  const objects = databaseOf(blob, tree, commit, tag, blob)
  t.equal(await checkObjects(objects, { isDeep: true, onFault: (fault) => t.fail(fault) }), 4)
})

t.test('what is named and missing is a fault, a submodule is not', async (t) => {
  t.same(await faultsOf(false, tree, commit, tag), [`object ${tree.id} (a tree) names ${blob.id}, which is missing`])
  t.same(await faultsOf(false, blob, commit, tag), [
    `object ${commit.id} (a commit) names ${tree.id}, which is missing`,
  ])
  t.same(await faultsOf(false, blob, tree, tag), [`object ${tag.id} (a tag) names ${commit.id}, which is missing`])
  t.same(await faultsOf(false, objectOf('tree', entry('160000', 'module', commit.id))), [])
})

t.test('other content than the id says is a fault; in blobs when looked for', async (t) => {
  const wrongBlob = { ...blob, data: Buffer.from('HELLO\n') }
  t.same(await faultsOf(false, wrongBlob), [])
  t.same(await faultsOf(true, wrongBlob), [`object ${blob.id} has other content than its id says`])
  t.match(await faultsOf(false, blob, { ...tree, data: Buffer.alloc(0) }), [/has other content than its id says/])
})

t.test('what cannot be read or is malformed is a fault, and the rest is still looked at', async (t) => {
  const faults = await faultsOf(
    false,
    { ...tree, data: Buffer.from('unreadable') },
    objectOf('commit', 'nonsense'),
    tag,
  )
  t.equal(faults.length, 3)
  t.match(faults[0], /cannot be read: The pack is damaged/)
  t.match(faults[2], /which is missing/)
})
