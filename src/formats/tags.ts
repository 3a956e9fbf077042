/**
 * The tags that the Hub derives for a repository from its card, its configuration and its files' names: what lists are filtered
 * by. Languages of models stand as they are, those of datasets behind `language:`, as on the Hub.
 */
import { textOf, textsOf } from './card-fields.ts'
import type { Metadata } from './front-matter.ts'
import type { ModelConfig } from './model-config.ts'

export interface RepoContent {
  type: 'model' | 'dataset' | 'space'
  card: Metadata | undefined
  /** Of models. */
  model: ModelConfig | undefined
  /** The text behind the card's front matter, or its beginning. */
  readme: string
  /** Paths of files: one of each kind (`kindOfModelFile`) is enough. */
  files: readonly string[]
}

export interface RepoTags {
  tags: string[]
  pipelineTag: string | undefined
  libraryName: string | undefined
  license: string | undefined
  /** Of spaces: what runs them, and what they use. */
  sdk: string | undefined
  models: string[]
  datasets: string[]
  /** The models it was made from, and how. */
  baseModels: { relation: string; models: { id: string }[] } | undefined
}

const tagMaxLength = 256
// Beyond, they say nothing, and each is an entry of an index.
const tagsMax = 1_000
const papersMax = 100

/** Derives them all. */
export function deriveTags(content: RepoContent): RepoTags {
  const { type, card } = content
  const [license] = textsOf(card, 'license')
  const derived = type === 'model' ? tagsOfModel(content) : { ...nothing, tags: tagsOf[type](content) }
  const kept = derived.tags.filter((tag) => tag !== '' && tag.length <= tagMaxLength)
  const [sdk, models, datasets] = [textOf(card, 'sdk'), textsOf(card, 'models'), textsOf(card, 'datasets')]
  return { ...derived, license, sdk, models, datasets, tags: [...new Set(kept)].slice(0, tagsMax) }
}

const nothing = { pipelineTag: undefined, libraryName: undefined, baseModels: undefined }

const tagsOf = {
  dataset: ({ card, readme }: RepoContent) => [
    ...datasetFields.flatMap((field) => prefixed(field, textsOf(card, field))),
    ...textsOf(card, 'tags'),
    ...papersIn(readme),
  ],
  space: ({ card }: RepoContent) => [textOf(card, 'sdk') ?? '', ...textsOf(card, 'tags'), ...licensesOf(card)],
}

const datasetFields = [
  ...['task_categories', 'task_ids', 'annotations_creators', 'language_creators', 'multilinguality', 'source_datasets'],
  ...['language', 'license', 'size_categories'],
]

type ModelTags = Pick<RepoTags, 'tags' | 'pipelineTag' | 'libraryName' | 'baseModels'>

function tagsOfModel({ card, model, readme, files }: RepoContent): ModelTags {
  const formats = formatsOf(files)
  const libraryName = textOf(card, 'library_name') ?? inferLibrary(model, files)
  const isTransformers = libraryName === undefined || libraryName === 'transformers'
  const inferred = isTransformers ? model?.transformersInfo?.pipeline_tag : undefined
  const pipelineTag = textOf(card, 'pipeline_tag') ?? inferred
  const baseModels = baseModelsOf(card, { model, formats, libraryName })
  const tags = [
    libraryName ?? '',
    ...formats,
    ...(typeof model?.config?.model_type === 'string' ? [model.config.model_type] : []),
    pipelineTag ?? '',
    ...textsOf(card, 'tags'),
    ...(model?.config?.auto_map === undefined ? [] : ['custom_code']),
    ...(hasResults(card) ? ['model-index'] : []),
    ...textsOf(card, 'language'),
    ...prefixed('dataset', textsOf(card, 'datasets')),
    ...papersIn(readme),
    ...(baseModels?.models ?? []).map(({ id }) => `base_model:${id}`),
    ...(baseModels?.models ?? []).map(({ id }) => `base_model:${baseModels?.relation}:${id}`),
    ...licensesOf(card),
  ]
  return { tags, pipelineTag, libraryName, baseModels }
}

function hasResults(card: Metadata | undefined): boolean {
  const index = card?.['model-index']
  return Array.isArray(index) && index.length > 0
}

const sentenceTransformersName = 'config_sentence_transformers.json'

/** What tells of a format, in the order in which the Hub names them. */
const formatPatterns: readonly [tag: string, name: RegExp][] = [
  ['pytorch', /(^|\/)pytorch_model[^/]*\.bin$/],
  ['tf', /(^|\/)tf_model[^/]*\.h5$/],
  ['jax', /(^|\/)flax_model[^/]*\.msgpack$/],
  ['rust', /(^|\/)rust_model\.ot$/],
  ['tflite', /\.tflite$/],
  ['tensorboard', /tfevents/],
  ['coreml', /\.(mlmodel|mlpackage)(\/|$)/],
  ['onnx', /\.onnx$/],
  ['openvino', /(^|\/)openvino_model\.xml$/],
  ['safetensors', /\.safetensors$/],
  ['gguf', /\.gguf$/],
]

/**
 * What a file's name says of its model, the same text for the same: of files that say the same tags are derived by any
 * one of them, and by none of those that say nothing (undefined).
 */
export function kindOfModelFile(path: string): string | undefined {
  if (path === sentenceTransformersName) return path
  const tags = formatPatterns.filter(([, name]) => name.test(path)).map(([tag]) => tag)
  return tags.length === 0 ? undefined : tags.join()
}

function formatsOf(files: readonly string[]): string[] {
  return formatPatterns.filter(([, name]) => files.some((path) => name.test(path))).map(([tag]) => tag)
}

function inferLibrary(model: ModelConfig | undefined, files: readonly string[]): string | undefined {
  if (model?.config?.peft !== undefined) return 'peft'
  if (model?.config?.diffusers !== undefined) return 'diffusers'
  if (files.includes(sentenceTransformersName)) return 'sentence-transformers'
  return model?.config?.model_type === undefined ? undefined : 'transformers'
}

interface ModelTraits {
  model: ModelConfig | undefined
  formats: readonly string[]
  libraryName: string | undefined
}

function baseModelsOf(card: Metadata | undefined, traits: ModelTraits): RepoTags['baseModels'] {
  const ids = textsOf(card, 'base_model')
  if (ids.length === 0) return undefined
  const relation = textOf(card, 'base_model_relation') ?? inferRelation(card, ids.length, traits)
  return { relation, models: ids.map((id) => ({ id })) }
}

function inferRelation(
  card: Metadata | undefined,
  count: number,
  { model, formats, libraryName }: ModelTraits,
): string {
  const tags = textsOf(card, 'tags')
  if (model?.config?.peft !== undefined || libraryName === 'peft') return 'adapter'
  if (count > 1 && (tags.includes('merge') || tags.includes('mergekit'))) return 'merge'
  const isQuantized = model?.config?.quantization_config !== undefined || formats.includes('gguf')
  return isQuantized ? 'quantized' : 'finetune'
}

function licensesOf(card: Metadata | undefined): string[] {
  return prefixed('license', textsOf(card, 'license'))
}

function prefixed(prefix: string, values: readonly string[]): string[] {
  return values.map((value) => (value.startsWith(`${prefix}:`) ? value : `${prefix}:${value}`))
}

/** Papers that the text links to. */
function papersIn(readme: string): string[] {
  const links = readme.matchAll(/arxiv\.org\/(?:abs|pdf)\/(\d{4}\.\d{4,5})/g)
  return [...new Set(Array.from(links, ([, id]) => `arxiv:${id}`))].slice(0, papersMax)
}
