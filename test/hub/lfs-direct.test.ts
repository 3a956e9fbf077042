/** Uploads and downloads that go straight to a real store, as git-lfs sends them. */
import t from 'tap'
import { openS3Bucket } from '../../src/bucket/s3-bucket.ts'
import { findMissingLfs } from '../../src/hub/lfs-presence.ts'
import type { BatchAction } from '../../src/lfs/batch.ts'
import { createLogger } from '../../src/logger.ts'
import { askBatch, askLfs, contentOf, linkOf, openLfsHouse, randomContent } from '../support/lfs.ts'
import { startMinio } from '../support/minio.ts'

const minio = await startMinio()
t.teardown(() => minio.stop())

async function openRoom(t: Parameters<typeof openLfsHouse>[0], limits = {}) {
  const bucket = openS3Bucket(minio.newBucket(), createLogger('silent'))
  await bucket.probe()
  const house = await openLfsHouse(t, { bucket, limits })
  const ada = await house.addPerson('ada')
  return { house, ada, repo: await house.addRepo(ada, 'model') }
}

function put(action: BatchAction, bytes: Buffer): Promise<number> {
  const headers = { 'content-type': 'application/octet-stream', ...action.header }
  return fetch(action.href, { method: 'PUT', headers, body: new Uint8Array(bytes) }).then((answer) => answer.status)
}

t.test('the store takes the right bytes and no others', async (t) => {
  const { house, ada, repo } = await openRoom(t)
  for (const content of [randomContent(100_000), contentOf(Buffer.alloc(0))]) {
    const [object] = await askBatch(house, ada, repo, { operation: 'upload', objects: [content] })
    const { upload } = object!.actions as { upload: BatchAction }
    t.ok(upload.href.startsWith(minio.endpoint), 'straight to the store')
    const claim = { oid: content.oid, size: content.size }
    const verify = () => askLfs(house, undefined, 'POST', linkOf(object, 'verify'), claim)
    t.ok((await put(upload, randomContent(content.size || 1).bytes)) >= 400, 'wrong bytes')
    t.match(await verify(), { statusCode: 404 })
    t.equal(await put(upload, content.bytes), 200)
    t.match(await verify(), { statusCode: 200 })
    await house.grant(repo, content)
    const [download] = await askBatch(house, undefined, repo, { operation: 'download', objects: [content] })
    const { href } = (download!.actions as { download: BatchAction }).download
    t.ok(href.startsWith(minio.endpoint))
    t.ok(Buffer.from(await (await fetch(href)).arrayBuffer()).equals(content.bytes))
  }
})

t.test('what is too large for one piece goes through the server into the same store', async (t) => {
  const { house, ada, repo } = await openRoom(t, { lfsSinglePutMaxBytes: 1000 })
  // Three parts of a multipart upload.
  const content = randomContent(17_000_000)
  const [object] = await askBatch(house, ada, repo, { operation: 'upload', objects: [content] })
  const wrong = Buffer.from(content.bytes).fill(0, content.size - 1)
  const send = (payload: Buffer) => house.server.inject({ method: 'PUT', url: linkOf(object, 'upload'), payload })
  if (!wrong.equals(content.bytes)) t.match(await send(wrong), { statusCode: 422 })
  t.match(await send(content.bytes), { statusCode: 200 })
  const missing = await house.hub.database.transaction((tx) =>
    findMissingLfs(tx, {
      repo,
      principal: ada.principal,
      pointers: [{ lfsOid: content.oid, sizeBytes: content.size }],
    }),
  )
  t.same(missing, [])
  const keys = []
  for await (const { key } of house.hub.bucket.list('lfs/')) keys.push(key)
  t.equal(keys.length, 1, 'wrong bytes left nothing')
})

t.test('a thousand objects are signed in a moment', async (t) => {
  const { house, ada, repo } = await openRoom(t)
  const objects = Array.from({ length: 1000 }, () => randomContent(10))
  await askBatch(house, ada, repo, { operation: 'upload', objects: objects.slice(0, 1) })
  const [start, before] = [performance.now(), house.statements()]
  await askBatch(house, ada, repo, { operation: 'upload', objects })
  t.comment(`${Math.round(performance.now() - start)} ms, ${house.statements() - before} statements`)
  t.equal(house.statements() - before, 4)
})
