import { createHash } from 'node:crypto'
import t from 'tap'
import { insertLfsGrants, insertLfsObjects } from '../../../src/database/lfs-objects.ts'
import { file, header, ndjson, openCommitScene } from '../../support/commit-scene.ts'
import { addPerson, addRepo } from '../../support/house.ts'

interface Asked {
  path: string
  size?: number
  sample?: string | Buffer
}

async function openScene(t: Parameters<typeof openCommitScene>[0]) {
  const scene = await openCommitScene(t, { limits: { preuploadFilesMax: 5 } })
  const ask = async (files: readonly Asked[], { who = scene.ada, rev = 'main', more = {}, api = scene.api } = {}) => {
    const body = {
      files: files.map(({ path, size = 10, sample = 'text' }) => ({
        path,
        size,
        sample: Buffer.from(sample).toString('base64'),
      })),
      ...more,
    }
    return await scene.call(who, 'POST', `${api}/preupload/${rev}`, JSON.stringify(body))
  }
  const modes = async (files: readonly Asked[], options: Parameters<typeof ask>[1] = {}) => {
    const { body } = await ask(files, options)
    return (body.files as { uploadMode: string; shouldIgnore: boolean }[]).map((one) =>
      one.shouldIgnore ? 'ignore' : one.uploadMode,
    )
  }
  return { ...scene, ask, modes }
}

t.test('the mode follows rules, size and content', async (t) => {
  const { modes, commit } = await openScene(t)
  const large = 10 * 2 ** 20 + 1
  t.same(await modes([{ path: 'a.bin' }, { path: 'x/a.safetensors' }, { path: 'saved_model/1/x' }]), [
    'lfs',
    'lfs',
    'lfs',
  ])
  t.same(await modes([{ path: 'a.txt' }, { path: 'b', size: large - 1 }, { path: 'b', size: large }]), [
    ...['regular', 'regular', 'lfs'],
  ])
  const samples = [Buffer.from([0xff, 0xd8, 0xff]), 'a\0b', 'ä', Buffer.from('aä').subarray(0, 2), '']
  t.same(await modes(samples.map((sample) => ({ path: 'c', sample }))), ['lfs', 'lfs', 'regular', 'regular', 'regular'])
  t.same(await modes([{ path: 'empty.bin', size: 0, sample: '' }]), ['regular'])

  await commit([header(), file('.gitattributes', '*.png -filter\n'), file('deep/.gitattributes', '*.txt filter=lfs\n')])
  const files = [
    { path: 'a.bin' },
    { path: 'x.png', sample: '\0' },
    { path: 'x.png', size: large },
    { path: 'deep/a.txt' },
  ]
  t.same(await modes(files), ['regular', 'regular', 'lfs', 'lfs'])
  t.same(await modes([{ path: 'a.x' }, { path: 'a.bin' }], { more: { gitAttributes: '*.x filter=lfs' } }), [
    'lfs',
    'regular',
  ])
})

t.test('what is ignored', async (t) => {
  const { modes, commit } = await openScene(t)
  await commit([header(), file('.gitignore', '*.log\n'), file('deep/.gitignore', '!a.log\n')])
  const files = [{ path: 'a.log' }, { path: 'deep/a.log' }, { path: 'a' }]
  t.same(await modes(files), ['ignore', 'regular', 'regular'])
  t.same(await modes(files, { more: { gitIgnore: 'a\n' } }), ['regular', 'regular', 'ignore'])
})

t.test('rules of the request are as long as those of a file', async (t) => {
  const { hub, modes } = await openScene(t)
  const rules = '*.x filter=lfs\n*.bin -filter\n'
  const files = [{ path: 'a.x' }, { path: 'a.log' }, { path: 'a.bin' }]
  const more = { gitAttributes: rules, gitIgnore: '*.log\n' }
  hub.config.limits.ruleFileMaxBytes = rules.length
  t.same(await modes(files, { more }), ['lfs', 'ignore', 'regular'])
  hub.config.limits.ruleFileMaxBytes = 5
  t.same(await modes(files, { more }), ['regular', 'regular', 'regular'], 'longer ones say nothing, once committed too')
})

t.test('what is there now', async (t) => {
  const { hub, ada, ask, commit, call, api } = await openScene(t)
  const lfsOid = createHash('sha256').update('content').digest('hex')
  await insertLfsObjects(hub.database, [{ lfsOid, sizeBytes: 7, key: 'lfs/1' }])
  const [{ id }] = await hub.database.query<{ id: never }>('select id from repos')
  await insertLfsGrants(hub.database, id, [lfsOid])
  const lfsFile = { key: 'lfsFile', value: { path: 'x/w.bin', algo: 'sha256', oid: lfsOid } }
  const { body } = await commit([header(), file('a', 'one'), lfsFile])
  const answer = await ask([{ path: 'a' }, { path: 'x/w.bin' }, { path: 'x' }, { path: 'absent/b' }])
  t.equal(answer.body.commitOid, body.commitOid)
  t.same(
    (answer.body.files as { oid?: string }[]).map(({ oid }) => oid),
    [createHash('sha1').update('blob 3\0one').digest('hex'), lfsOid, undefined, undefined],
  )
  await addRepo(hub, ada, 'empty')
  t.match(await ask([{ path: 'a.bin' }, { path: 'b' }], { api: '/api/models/ada/empty' }), {
    status: 200,
    body: { files: [{ uploadMode: 'regular' }, { uploadMode: 'regular' }] },
  })
  await call(ada, 'POST', `${api}/commit/main`, ndjson([header(), file('a', 'two')]))
  const old = await ask([{ path: 'a' }], { rev: body.commitOid })
  t.match(old.body, {
    files: [{ oid: createHash('sha1').update('blob 3\0one').digest('hex') }],
    commitOid: body.commitOid,
  })
})

t.test('who may ask for what', async (t) => {
  const { hub, ask } = await openScene(t)
  const eve = await addPerson(hub, 'eve')
  t.equal((await ask([{ path: 'a' }], { who: eve })).status, 403)
  t.equal((await ask([{ path: 'a' }], { who: eve, rev: 'main?create_pr=1' })).status, 200)
  t.equal((await ask([{ path: 'a' }], { who: eve, rev: 'main?create_pr=0&create_pr=False' })).status, 403)
  t.equal((await ask([{ path: 'a' }], { who: eve, rev: 'main?create_pr=0&create_pr=True' })).status, 200)
  t.equal((await ask([{ path: 'a' }], { rev: 'absent' })).headers.get('x-error-code'), 'RevisionNotFound')
  t.equal((await ask([{ path: '../a' }])).status, 422)
  t.equal((await ask([{ path: 'a', size: -1 }])).status, 400)
  t.equal((await ask('123456'.split('').map((path) => ({ path })))).status, 413)
})
