import t from 'tap'
import { readModelConfig } from '../../src/formats/model-config.ts'
import { deriveTags, kindOfModelFile, type RepoContent } from '../../src/formats/tags.ts'

const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const content = (some: Partial<RepoContent>): RepoContent => {
  return { type: 'model', card: undefined, model: undefined, readme: '', files: [], ...some }
}

t.test('tags of a model, in the order of the Hub', async (t) => {
  const card = {
    ...{ language: ['en', 'fr'], license: 'apache-2.0', tags: ['exbert'], datasets: ['wikipedia'] },
    ...{ base_model: 'ada/base', 'model-index': [{}] },
  }
  const config = json({ architectures: ['BertForMaskedLM'], model_type: 'bert' })
  const derived = deriveTags(
    content({
      card,
      model: readModelConfig({ 'config.json': config }),
      readme: 'See https://arxiv.org/abs/1810.04805 and http://arxiv.org/pdf/1810.04805v2.',
      files: ['pytorch_model.bin', 'onnx/model.onnx', 'model.safetensors'],
    }),
  )
  t.same(derived.tags, [
    ...['transformers', 'pytorch', 'onnx', 'safetensors', 'bert', 'fill-mask', 'exbert', 'model-index', 'en', 'fr'],
    ...['dataset:wikipedia', 'arxiv:1810.04805', 'base_model:ada/base', 'base_model:finetune:ada/base'],
    'license:apache-2.0',
  ])
  t.match(derived, { pipelineTag: 'fill-mask', libraryName: 'transformers', license: 'apache-2.0' })
})

t.test('what the card says goes first', async (t) => {
  const model = readModelConfig({ 'config.json': json({ architectures: ['XForCausalLM'], model_type: 'x' }) })
  const card = { pipeline_tag: 'summarization', library_name: 'keras' }
  t.match(deriveTags(content({ card, model })), { pipelineTag: 'summarization', libraryName: 'keras' })
})

t.test('how a model came from another', async (t) => {
  const relation = (card: object, some: Partial<RepoContent> = {}) =>
    deriveTags(content({ card: { base_model: 'a/b', ...card }, ...some })).baseModels?.relation
  t.equal(relation({}), 'finetune')
  t.equal(relation({ base_model_relation: 'adapter' }), 'adapter')
  t.equal(relation({}, { files: ['m.Q4.gguf'] }), 'quantized')
  t.equal(relation({ library_name: 'peft' }), 'adapter')
  t.equal(relation({ base_model: ['a/b', 'a/c'], tags: ['merge'] }), 'merge')
})

t.test('tags of a dataset and of a space', async (t) => {
  const card = {
    language: 'en',
    license: 'mit',
    task_categories: ['text-classification'],
    tags: ['x'],
    size_categories: 'n<1K',
  }
  t.same(deriveTags(content({ type: 'dataset', card })).tags, [
    ...['task_categories:text-classification', 'language:en', 'license:mit', 'size_categories:n<1K', 'x'],
  ])
  const space = deriveTags(content({ type: 'space', card: { sdk: 'gradio', tags: ['demo'], models: ['a/b'] } }))
  t.same([space.tags, space.sdk, space.models], [['gradio', 'demo'], 'gradio', ['a/b']])
})

t.test('tags without end, and of the wrong shape', async (t) => {
  const tags = [...Array.from({ length: 5000 }, (_, n) => `t${n}`), 'x'.repeat(1000), { a: 1 }, 7]
  const derived = deriveTags(content({ card: { tags, language: { a: 1 }, license: 7 } }))
  t.equal(derived.tags.length, 1000)
  t.equal(derived.license, undefined)
})

t.test('one file of each kind says what all of them say', async (t) => {
  const names = ['pytorch_model.bin', 'x/tf_model.h5', 'events.tfevents.1.onnx', 'm.mlpackage/x', 'a.gguf', 'b.gguf']
  const files = [
    ...names,
    'config_sentence_transformers.json',
    'deep/config_sentence_transformers.json',
    'a.txt',
    'c.onnx',
  ]
  const oneOfEach = [...new Map(files.map((path) => [kindOfModelFile(path) ?? '', path])).values()]
  t.equal(oneOfEach.length, 8, 'a.txt says nothing, and b.gguf what a.gguf says')
  t.same(deriveTags(content({ files: oneOfEach })), deriveTags(content({ files })))
  t.equal(kindOfModelFile('a.txt'), undefined)
})
