import t from 'tap'
import { readModelConfig } from '../../src/formats/model-config.ts'

const json = (value: unknown) => Buffer.from(JSON.stringify(value))

t.test('what the Hub shows of a model', async (t) => {
  const { config, transformersInfo, maskToken } = readModelConfig({
    'config.json': json({ architectures: ['BertForMaskedLM'], model_type: 'bert', hidden_size: 768 }),
    'tokenizer_config.json': json({ mask_token: { content: '[MASK]' }, pad_token: '[PAD]', added: [1] }),
  })
  t.match(config, { architectures: ['BertForMaskedLM'], model_type: 'bert' })
  t.same(config?.tokenizer_config, { mask_token: '[MASK]', pad_token: '[PAD]' })
  t.notOk('hidden_size' in config!)
  t.same(transformersInfo, {
    auto_model: 'AutoModelForMaskedLM',
    pipeline_tag: 'fill-mask',
    processor: 'AutoTokenizer',
  })
  t.equal(maskToken, '[MASK]')
})

t.test('the task, by the architecture', async (t) => {
  const taskOf = (architecture: string, modelType: string) =>
    readModelConfig({ 'config.json': json({ architectures: [architecture], model_type: modelType }) }).transformersInfo
  t.match(taskOf('LlamaForCausalLM', 'llama'), { pipeline_tag: 'text-generation' })
  t.match(taskOf('GPT2LMHeadModel', 'gpt2'), { pipeline_tag: 'text-generation' })
  t.match(taskOf('T5ForConditionalGeneration', 't5'), { auto_model: 'AutoModelForSeq2SeqLM' })
  t.match(taskOf('WhisperForConditionalGeneration', 'whisper'), { pipeline_tag: 'automatic-speech-recognition' })
  t.match(taskOf('Qwen2VLForConditionalGeneration', 'qwen2_vl'), { pipeline_tag: 'image-text-to-text' })
  t.same(taskOf('SomethingNew', 'new'), { auto_model: 'AutoModel' })
})

t.test('adapters and pipelines', async (t) => {
  const adapter = json({ base_model_name_or_path: 'ada/base', task_type: 'CAUSAL_LM', r: 8 })
  t.same(readModelConfig({ 'adapter_config.json': adapter }).config?.peft, {
    base_model_name_or_path: 'ada/base',
    task_type: 'CAUSAL_LM',
  })
  const pipeline = json({ _class_name: 'StableDiffusionPipeline' })
  t.same(readModelConfig({ 'model_index.json': pipeline }).config?.diffusers, {
    _class_name: 'StableDiffusionPipeline',
  })
})

t.test('files that say nothing', async (t) => {
  for (const bytes of [Buffer.from('{'), json([]), json(null), json('x'), json({ architectures: 3, model_type: [] })]) {
    t.equal(readModelConfig({ 'config.json': bytes }).config, undefined)
  }
  t.same(readModelConfig({}), { config: undefined, transformersInfo: undefined, maskToken: undefined })
})
