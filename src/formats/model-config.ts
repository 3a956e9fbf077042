/** What the configuration files beside a model's weights say of it, in the words of the Hub's `config` and `transformersInfo`. */

/** The files that are read, from the repository's root. */
export const configNames = ['config.json', 'tokenizer_config.json', 'adapter_config.json', 'model_index.json'] as const
export type ConfigName = (typeof configNames)[number]

/** The content of those that are there. */
export type ConfigFiles = Partial<Record<ConfigName, Uint8Array>>

export interface ModelConfig {
  config: Record<string, unknown> | undefined
  transformersInfo: TransformersInfo | undefined
  maskToken: string | undefined
}

export interface TransformersInfo {
  auto_model: string
  pipeline_tag?: string
  processor?: string
}

type Json = Record<string, unknown>

const tokenNames = ['bos_token', 'cls_token', 'eos_token', 'mask_token', 'pad_token', 'sep_token', 'unk_token']
const keptTextMaxLength = 64 * 1024
const listedMax = 32

/** Picks what the Hub shows. Files that are no JSON objects count as absent. */
export function readModelConfig(files: ConfigFiles): ModelConfig {
  const main = parseObject(files['config.json'])
  const tokenizer = parseObject(files['tokenizer_config.json'])
  const adapter = parseObject(files['adapter_config.json'])
  const pipeline = parseObject(files['model_index.json'])
  const architectures = listOfTexts(main?.architectures)
  const modelType = shortText(main?.model_type)
  const picked = {
    architectures,
    model_type: modelType,
    auto_map: isSmall(main?.auto_map) ? main?.auto_map : undefined,
    quantization_config: isSmall(main?.quantization_config) ? main?.quantization_config : undefined,
    tokenizer_config: tokenizer === undefined ? undefined : pickTokens(tokenizer),
    diffusers: classOf(pipeline),
    peft: adapter === undefined ? undefined : pickAdapter(adapter),
  }
  const isEmpty = Object.values(picked).every((value) => value === undefined)
  return {
    config: isEmpty ? undefined : picked,
    transformersInfo:
      architectures === undefined || modelType === undefined ? undefined : inferTask(architectures, modelType),
    maskToken: tokenOf(tokenizer?.mask_token),
  }
}

/** By the end of an architecture's name: the class that loads it, and the task it is made for. */
const tasks: readonly [suffix: string, autoModel: string, pipelineTag: string, processor: string][] = [
  ['ForCausalLM', 'AutoModelForCausalLM', 'text-generation', 'AutoTokenizer'],
  ['LMHeadModel', 'AutoModelForCausalLM', 'text-generation', 'AutoTokenizer'],
  ['ForMaskedLM', 'AutoModelForMaskedLM', 'fill-mask', 'AutoTokenizer'],
  ['ForSequenceClassification', 'AutoModelForSequenceClassification', 'text-classification', 'AutoTokenizer'],
  ['ForTokenClassification', 'AutoModelForTokenClassification', 'token-classification', 'AutoTokenizer'],
  ['ForQuestionAnswering', 'AutoModelForQuestionAnswering', 'question-answering', 'AutoTokenizer'],
  ['ForImageClassification', 'AutoModelForImageClassification', 'image-classification', 'AutoImageProcessor'],
  ['ForObjectDetection', 'AutoModelForObjectDetection', 'object-detection', 'AutoImageProcessor'],
  ['ForAudioClassification', 'AutoModelForAudioClassification', 'audio-classification', 'AutoFeatureExtractor'],
  ['ForCTC', 'AutoModelForCTC', 'automatic-speech-recognition', 'AutoProcessor'],
  ['ForSpeechSeq2Seq', 'AutoModelForSpeechSeq2Seq', 'automatic-speech-recognition', 'AutoProcessor'],
]

/** Conditional generation is from text, speech or images, by the kind of model. */
const conditional: Record<string, [autoModel: string, pipelineTag: string, processor: string]> = {
  whisper: ['AutoModelForSpeechSeq2Seq', 'automatic-speech-recognition', 'AutoProcessor'],
  speech_to_text: ['AutoModelForSpeechSeq2Seq', 'automatic-speech-recognition', 'AutoProcessor'],
}
const textModels = new Set(['t5', 'mt5', 'umt5', 'bart', 'mbart', 'pegasus', 'm2m_100', 'marian', 'led', 'longt5'])

function inferTask(architectures: readonly string[], modelType: string): TransformersInfo {
  const [architecture = ''] = architectures
  const known = tasks.find(([suffix]) => architecture.endsWith(suffix))
  if (known !== undefined) return { auto_model: known[1], pipeline_tag: known[2], processor: known[3] }
  if (architecture.endsWith('ForConditionalGeneration')) {
    const ofText = ['AutoModelForSeq2SeqLM', 'text2text-generation', 'AutoTokenizer']
    const ofImages = ['AutoModelForImageTextToText', 'image-text-to-text', 'AutoProcessor']
    const [auto, task, processor] = conditional[modelType] ?? (textModels.has(modelType) ? ofText : ofImages)
    return { auto_model: auto, pipeline_tag: task, processor }
  }
  return { auto_model: 'AutoModel' }
}

function pickTokens(tokenizer: Json): Json {
  const tokens = tokenNames.flatMap((name) => {
    const token = tokenOf(tokenizer[name])
    return token === undefined ? [] : [[name, token]]
  })
  const template = tokenizer.chat_template
  const isTemplate = typeof template === 'string' || Array.isArray(template)
  return {
    ...Object.fromEntries(tokens),
    ...(isTemplate && isSmall(template) ? { chat_template: template } : undefined),
  }
}

function pickAdapter(adapter: Json): Json {
  return {
    base_model_name_or_path: shortText(adapter.base_model_name_or_path),
    task_type: shortText(adapter.task_type),
  }
}

function classOf(pipeline: Json | undefined): Json | undefined {
  const name = shortText(pipeline?._class_name)
  return name === undefined ? undefined : { _class_name: name }
}

/** A token is written as its text, or as an object that holds it. */
function tokenOf(value: unknown): string | undefined {
  return shortText(typeof value === 'object' && value !== null ? (value as Json).content : value)
}

function shortText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= 1024 ? value : undefined
}

function listOfTexts(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.length <= listedMax && value.every((one) => shortText(one) !== undefined)
    ? value
    : undefined
}

function isSmall(value: unknown): boolean {
  return value !== undefined && value !== null && JSON.stringify(value).length <= keptTextMaxLength
}

function parseObject(bytes: Uint8Array | undefined): Json | undefined {
  if (bytes === undefined) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
  } catch {
    return undefined
  }
}
