import t, { type Test } from 'tap'
import { refreshMetadata } from '../../../src/hub/repo-metadata.ts'
import { commitFiles } from '../../support/commits.ts'
import { addPerson, addRepo, openDoors, openHouse } from '../../support/house.ts'
import { writeSafetensors } from '../../support/safetensors.ts'

const files = {
  'README.md': '---\nlicense: mit\nlanguage: en\ntags: [x]\ndatasets: [a/b]\nmodel-index: []\n---\n# Bert\n',
  'config.json': '{"architectures":["BertForMaskedLM"],"model_type":"bert"}',
  'model.safetensors': writeSafetensors({ a: [2, 3] }),
}

async function openScene(t: Test) {
  const hub = await openHouse(t)
  const ada = await addPerson(hub, 'ada')
  const empty = await addRepo(hub, ada, 'bert')
  const { commitId, repo } = await commitFiles(hub, empty, files)
  const server = await openDoors(t, hub)
  const get = (url: string) => server.inject({ url, headers: ada.headers })
  return { hub, ada, repo, commitId, get }
}

t.test('a model tells what its files say, before and after the job', async (t) => {
  const { hub, repo, commitId, get } = await openScene(t)
  for (const step of ['before', 'after']) {
    const info = (await get('/api/models/ada/bert')).json()
    t.match(info, {
      ...{ id: 'ada/bert', modelId: 'ada/bert', author: 'ada', sha: commitId, private: false, gated: false },
      ...{ downloads: 0, likes: 0, pipeline_tag: 'fill-mask', library_name: 'transformers' },
      cardData: { license: 'mit', language: 'en', tags: ['x'], datasets: ['a/b'] },
      config: { architectures: ['BertForMaskedLM'], model_type: 'bert' },
      transformersInfo: { auto_model: 'AutoModelForMaskedLM' },
      safetensors: { parameters: { F32: 6 }, total: 6 },
      siblings: [{ rfilename: 'README.md' }, { rfilename: 'config.json' }, { rfilename: 'model.safetensors' }],
      tags: ['transformers', 'safetensors', 'bert', 'fill-mask', 'x', 'en', 'dataset:a/b', 'license:mit'],
    })
    t.ok(info.usedStorage > 0)
    t.notOk('gguf' in info)
    t.equal(step === 'before' ? 0 : info.likes, 0)
    await refreshMetadata(hub, repo.id)
  }
})

t.test('each revision tells of itself', async (t) => {
  const { hub, repo, commitId, get } = await openScene(t)
  await refreshMetadata(hub, repo.id)
  const readme = '---\nlicense: gpl-3.0\n---\n'
  const second = await commitFiles(hub, repo, { 'README.md': readme }, { parentId: commitId })
  t.match((await get('/api/models/ada/bert')).json(), { sha: second.commitId, cardData: { license: 'gpl-3.0' } })
  const first = (await get(`/api/models/ada/bert/revision/${commitId}`)).json()
  t.match(first, { sha: commitId, cardData: { license: 'mit' }, safetensors: { total: 6 } })
})

t.test('expand names what is told, and nothing else is', async (t) => {
  const { commitId, get } = await openScene(t)
  const expand = async (names: string[], more = '') =>
    await get(`/api/models/ada/bert?${names.map((name) => `expand=${name}`).join('&')}${more}`)
  const { _id, ...picked } = (await expand(['sha', 'tags', 'safetensors', 'model-index', 'downloadsAllTime'])).json()
  t.match(picked, { id: 'ada/bert', modelId: 'ada/bert', sha: commitId, 'model-index': [], downloadsAllTime: 0 })
  t.same(Object.keys(picked).sort(), ['downloadsAllTime', 'id', 'model-index', 'modelId', 'safetensors', 'sha', 'tags'])
  t.match((await get('/api/models/ada/bert?expand[]=xetEnabled')).json(), { xetEnabled: false })
  const unknown = await expand(['sha', 'nonsense'])
  t.equal(unknown.statusCode, 400)
  t.match(unknown.json().error, /^"expand" must be one of \[author, baseModels, cardData, .*widgetData\]$/)
  t.equal((await expand(['citation'])).statusCode, 400, 'of another type')
  t.equal((await expand(['sha'], '&blobs=true')).statusCode, 400)
  t.equal((await expand(['sha'], '&securityStatus=True')).statusCode, 400)
  t.ok(_id)
})

t.test('files with their sizes, and the security status', async (t) => {
  const { get } = await openScene(t)
  const info = (await get('/api/models/ada/bert?blobs=True&securityStatus=True')).json()
  t.match(info.siblings[1], { rfilename: 'config.json', blobId: /^[0-9a-f]{40}$/, size: files['config.json'].length })
  t.same(info.securityRepoStatus, { scansDone: false, filesWithIssues: [] })
})

t.test('datasets and spaces', async (t) => {
  const { hub, ada, get } = await openScene(t)
  const dataset = await addRepo(hub, ada, 'data', { type: 'dataset' })
  await commitFiles(hub, dataset, { 'README.md': '---\nlanguage: [en]\npretty_name: Data\n---\n' })
  const told = (await get('/api/datasets/ada/data')).json()
  t.match(told, { id: 'ada/data', tags: ['language:en'], cardData: { pretty_name: 'Data' }, downloads: 0 })
  t.notOk('pipeline_tag' in told)
  const space = await addRepo(hub, ada, 'app', { type: 'space' })
  await commitFiles(hub, space, { 'README.md': '---\nsdk: gradio\nmodels: [ada/bert]\n---\n' })
  t.match((await get('/api/spaces/ada/app')).json(), {
    sdk: 'gradio',
    models: ['ada/bert'],
    datasets: [],
    tags: ['gradio'],
  })
})
