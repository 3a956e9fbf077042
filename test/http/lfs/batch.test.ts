import t from 'tap'
import {
  askBatch,
  askLfs,
  contentOf,
  type LfsHouse,
  lfsMediaType,
  linkOf,
  openLfsHouse,
  type Person,
  randomContent,
  uploadContent,
} from '../../support/lfs.ts'

const refused = { error: { code: 422 } }
const absent = { error: { code: 404 }, actions: undefined }

t.test('what is uploaded here comes back here, once the push has granted it', async (t) => {
  const house = await openLfsHouse(t)
  const ada = await house.addPerson('ada')
  const repo = await house.addRepo(ada, 'model')
  const content = randomContent()
  const [offer] = await askBatch(house, ada, repo, { operation: 'upload', objects: [content] })
  t.match(offer, { oid: content.oid, size: content.size, authenticated: true })
  t.match(offer?.actions, { upload: { expires_in: 3600 }, verify: { expires_in: 86_400 } })
  const put = await house.server.inject({ method: 'PUT', url: linkOf(offer, 'upload'), payload: content.bytes })
  t.equal(put.statusCode, 200)

  const [again] = await askBatch(house, ada, repo, { operation: 'upload', objects: [content] })
  t.same(again, { oid: content.oid, size: content.size }, 'nothing to do')
  t.match((await askBatch(house, ada, repo, { operation: 'download', objects: [content] }))[0], absent)
  await house.grant(repo, content)
  const [download] = await askBatch(house, undefined, repo, { operation: 'download', objects: [content] })
  const got = await house.server.inject({ method: 'GET', url: linkOf(download, 'download') })
  t.equal(got.statusCode, 200)
  t.ok(got.rawPayload.equals(content.bytes))
})

t.test('objects that make no sense are answered one by one', async (t) => {
  const house = await openLfsHouse(t, { limits: { lfsObjectMaxBytes: 1000 } })
  const ada = await house.addPerson('ada')
  const repo = await house.addRepo(ada, 'model')
  const [good, held, tooLarge] = [randomContent(1000), randomContent(), { ...randomContent(), size: 1001 }]
  await uploadContent(house, ada, repo, held)
  const objects = [
    good,
    { oid: 'x'.repeat(64), size: 1 },
    { oid: good.oid, size: -1 },
    tooLarge,
    { oid: held.oid, size: held.size + 1 },
    good,
    contentOf(Buffer.alloc(0)),
  ]
  const answers = await askBatch(house, ada, repo, { operation: 'upload', objects })
  t.match(answers, [{ actions: Object }, refused, refused, refused, refused, { actions: Object }, { actions: Object }])
  t.match(answers[3]?.error?.message, /1001 bytes.*1000 bytes/)
  t.same(answers[5], answers[0], 'asked twice, offered once')
  await house.grant(repo, held)
  const downloads = await askBatch(house, ada, repo, {
    operation: 'download',
    objects: [held, { oid: held.oid, size: 1 }, good, { oid: 'x', size: 1 }],
  })
  t.match(downloads, [{ actions: Object }, refused, absent, refused])
})

t.test('a sha256 opens nothing', async (t) => {
  const house = await openLfsHouse(t)
  const [ada, eve] = [await house.addPerson('ada'), await house.addPerson('eve')]
  const [secret, loot] = [await house.addRepo(ada, 'secret', 'private'), await house.addRepo(eve, 'loot')]
  const content = randomContent()
  await uploadContent(house, ada, secret, content)
  await house.grant(secret, content)

  const unheld = randomContent()
  const answers = await askBatch(house, eve, loot, { operation: 'upload', objects: [content, unheld] })
  t.same(Object.keys(answers[0]!), Object.keys(answers[1]!), 'as if nobody had it')
  t.match(answers[0], { actions: { upload: Object, verify: Object } })
  const lied = await askBatch(house, eve, loot, { operation: 'upload', objects: [{ oid: content.oid, size: 1 }] })
  t.match(lied, [{ actions: Object }], 'nor does its size show')
  t.match(await askBatch(house, eve, loot, { operation: 'download', objects: [content] }), [absent])

  const own = await askBatch(house, ada, await house.addRepo(ada, 'other'), { operation: 'upload', objects: [content] })
  t.equal(own[0]?.actions, undefined, 'who may read it elsewhere need not upload it')
  await house.share(secret, eve, 'read')
  const shared = await askBatch(house, eve, loot, { operation: 'upload', objects: [content] })
  t.equal(shared[0]?.actions, undefined)
})

t.test('who may not', async (t) => {
  const house = await openLfsHouse(t)
  const [ada, bob] = [await house.addPerson('ada'), await house.addPerson('bob')]
  const [weak, open] = [await house.addPerson('weak', { role: 'read' }), await house.addRepo(ada, 'open')]
  const closed = await house.addRepo(ada, 'closed', 'private')
  const ask = (person: Person | undefined, repo: string, operation: string) =>
    askLfs(house, person, 'POST', `/ada/${repo}.git/info/lfs/objects/batch`, { operation, objects: [] })

  t.equal((await ask(undefined, 'open', 'download')).statusCode, 200)
  for (const [repo, operation] of [
    ['open', 'upload'],
    ['closed', 'download'],
    ['none', 'download'],
  ] as const) {
    const answer = await ask(undefined, repo, operation)
    t.equal(answer.statusCode, 401, `${repo} ${operation}`)
    t.equal(answer.headers['lfs-authenticate'], 'Basic realm="Holdfast"')
    t.equal(answer.headers['www-authenticate'], 'Basic realm="Holdfast"')
  }
  const forbidden = await ask(bob, 'open', 'upload')
  t.equal(forbidden.statusCode, 403)
  t.match(forbidden.headers['content-type'], lfsMediaType)
  t.match(forbidden.json(), { message: String, request_id: String })
  const [hidden, none] = [await ask(bob, 'closed', 'upload'), await ask(bob, 'none', 'upload')]
  t.equal(hidden.statusCode, 404)
  t.equal(hidden.json().message.replace('closed', 'none'), none.json().message)
  await house.share(closed, bob, 'read')
  t.equal((await ask(bob, 'closed', 'download')).statusCode, 200)
  t.equal((await ask(bob, 'closed', 'upload')).statusCode, 403)
  await house.share(open, weak, 'write')
  t.equal((await ask(weak, 'open', 'upload')).statusCode, 403, 'a read token')
  const wrong = { ...bob, authorization: `Basic ${Buffer.from('bob:hf_wrong').toString('base64')}` }
  const refusal = await ask(wrong, 'open', 'download')
  t.equal(refusal.statusCode, 401)
  t.equal(refusal.headers['lfs-authenticate'], 'Basic realm="Holdfast"')
})

t.test('requests that make no sense', async (t) => {
  const house = await openLfsHouse(t, { limits: { lfsBatchMaxObjects: 3 } })
  const ada = await house.addPerson('ada')
  await house.addRepo(ada, 'model')
  const batch = { operation: 'download', objects: [] as object[] }
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    house.server.inject({
      method: 'POST',
      url: '/ada/model/info/lfs/objects/batch',
      headers: { accept: lfsMediaType, 'content-type': lfsMediaType, authorization: ada.authorization, ...headers },
      payload: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const expect = async (name: string, status: number, body: unknown, headers?: Record<string, string>) => {
    const answer = await post(body, headers)
    t.equal(answer.statusCode, status, name)
    t.match(answer.headers['content-type'], lfsMediaType, name)
    return answer
  }
  const objects = Array.from({ length: 4 }, () => ({ oid: 'a'.repeat(64), size: 1 }))
  await expect('at the limit', 200, { ...batch, objects: objects.slice(1) })
  await expect('above the limit', 413, { ...batch, objects })
  await expect('sha256', 200, { ...batch, hash_algo: 'sha256' })
  await expect('another hash', 409, { ...batch, hash_algo: 'sha512' })
  await expect('no operation', 422, { objects: [] })
  await expect('an unknown operation', 422, { operation: 'steal', objects: [] })
  await expect('no objects', 422, { operation: 'download' })
  await expect('no JSON', 400, '{')
  await expect('a null ref', 200, { ...batch, ref: null })
  await expect('a ref', 200, { ...batch, ref: { name: 'refs/heads/main' } })
  await expect('any answer', 200, batch, { accept: '*/*' })
  await expect('a charset', 200, batch, { 'content-type': `${lfsMediaType};charset=utf-8` })
  await expect('a quality', 200, batch, { accept: `text/html, ${lfsMediaType};q=0.9` })
  await expect('plain JSON wanted', 406, batch, { accept: 'application/json' })
  await expect('plain JSON sent', 415, batch, { 'content-type': 'application/json' })
  await expect('compressed', 415, batch, { 'content-encoding': 'gzip' })
  for (const transfers of [undefined, null, [], ['basic'], ['xet', 'multipart'], ['multipart', 'basic']]) {
    t.equal((await expect(String(transfers), 200, { ...batch, transfers })).json().transfer, 'basic')
  }
})

t.test('every way to write the address', async (t) => {
  const house = await openLfsHouse(t)
  const ada = await house.addPerson('ada')
  for (const type of ['model', 'dataset', 'space'] as const) await house.addRepo(ada, 'x.y', 'private', type)
  for (const path of ['ada/x.y', 'ada/x.y.git', 'datasets/ada/x.y.git', 'spaces/ADA/X.y']) {
    const url = `/${path}/info/lfs/objects/batch`
    const answer = await askLfs(house, ada, 'POST', url, { operation: 'upload', objects: [] })
    t.equal(answer.statusCode, 200, path)
  }
})

t.test('a batch of thousands takes as many statements as a batch of one', async (t) => {
  const house = await openLfsHouse(t)
  const ada = await house.addPerson('ada')
  const repo = await house.addRepo(ada, 'model')
  // The first use of a token notes when that was.
  await askBatch(house, ada, repo, { operation: 'upload', objects: [] })
  const counts = []
  for (const count of [1, 1000, 5000]) {
    const objects = Array.from({ length: count }, () => randomContent(10))
    const uploads = await countAsked(house, () => askBatch(house, ada, repo, { operation: 'upload', objects }))
    const downloads = await countAsked(house, () => askBatch(house, ada, repo, { operation: 'download', objects }))
    t.equal(uploads.answer.length, count)
    t.comment(`${count} objects: upload ${uploads.elapsedMs} ms, download ${downloads.elapsedMs} ms`)
    counts.push([uploads.statements, downloads.statements])
  }
  t.same(counts[1], counts[0])
  t.same(counts[2], counts[0])
})

async function countAsked<T>(house: LfsHouse, ask: () => Promise<T>) {
  const [before, start] = [house.statements(), performance.now()]
  const answer = await ask()
  return { answer, statements: house.statements() - before, elapsedMs: Math.round(performance.now() - start) }
}
