/** Cards: what the front matter of a README.md says, and what is wrong with it. */
import { findWrongFields } from '../formats/card-fields.ts'
import type { FrontMatter } from '../formats/front-matter.ts'
import { readFormat } from './format-tasks.ts'
import type { Hub } from './hub.ts'

/** What a README's front matter says. */
export async function readCard(hub: Hub, readme: string): Promise<FrontMatter> {
  return await readFormat(hub, 'readFrontMatter', { input: readme, sizeBytes: readme.length })
}

/** What whoever writes a card should know before they push it, in sentences. */
export async function checkCard(hub: Hub, readme: string): Promise<{ errors: string[]; warnings: string[] }> {
  const { metadata, problem } = await readCard(hub, readme)
  if (problem !== undefined) return { errors: [`The metadata cannot be read. ${problem}`], warnings: [] }
  const isEmpty = metadata === undefined || Object.keys(metadata).length === 0
  const warnings = isEmpty ? ['empty or missing yaml metadata in repo card'] : []
  return { errors: findWrongFields(metadata ?? {}), warnings }
}
