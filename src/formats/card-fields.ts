/** Fields of a card: which of the words that the Hub knows are there, and whether they have the shape it knows. */
import type { Metadata } from './front-matter.ts'

/** The text of a field; undefined where it is absent or no text. */
export function textOf(metadata: Metadata | undefined, field: string): string | undefined {
  const value = metadata?.[field]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The texts of a field that holds one or a list; what is no text is passed over. Each once. */
export function textsOf(metadata: Metadata | undefined, field: string): string[] {
  const value = metadata?.[field]
  const values = Array.isArray(value) ? value : [value]
  return [...new Set(values.filter((one): one is string => typeof one === 'string' && one !== ''))]
}

const textFields = [
  'license_name',
  'library_name',
  'pipeline_tag',
  'pretty_name',
  'sdk',
  'title',
  'base_model_relation',
]
const textsFields = [
  ...['language', 'license', 'tags', 'datasets', 'metrics', 'base_model', 'models'],
  ...['annotations_creators', 'language_creators', 'multilinguality', 'size_categories', 'source_datasets'],
  ...['task_categories', 'task_ids'],
]

/** What is wrong with a card's fields, in sentences. */
export function findWrongFields(metadata: Metadata): string[] {
  const present = (field: string) => metadata[field] !== undefined && metadata[field] !== null
  const isText = (value: unknown) => typeof value === 'string'
  const wrong = [
    ...textFields
      .filter((field) => present(field) && !isText(metadata[field]))
      .map((field) => `"${field}" must be a string`),
    ...textsFields
      .filter((field) => present(field) && ![metadata[field]].flat().every(isText))
      .map((field) => `"${field}" must be a string, or an array of strings`),
  ]
  const index = metadata['model-index']
  if (present('model-index') && !Array.isArray(index)) wrong.push('"model-index" must be an array')
  return wrong
}
