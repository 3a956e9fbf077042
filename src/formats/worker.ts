/** What of reading files takes the processor for long, once they are large: it runs in worker threads (`work.ts`). */
import type { Task } from '../work.ts'
import { readFrontMatter } from './front-matter.ts'
import { readGguf } from './gguf.ts'
import { readModelConfig } from './model-config.ts'
import { countParameters, listShards } from './safetensors.ts'

/** By name: each takes one input, and has no effects. */
export const formatReaders = { readFrontMatter, readModelConfig, countParameters, listShards, readGguf }
export type FormatReaders = typeof formatReaders

export type FormatTasks = {
  [Name in keyof FormatReaders]: Task<Parameters<FormatReaders[Name]>[0], ReturnType<FormatReaders[Name]>>
}

/** The same as tasks, for one thread. */
export const formatTasks: FormatTasks = {
  readFrontMatter: async (readme) => readFrontMatter(readme),
  readModelConfig: async (files) => readModelConfig(files),
  countParameters: async (header) => countParameters(header),
  listShards: async (index) => listShards(index),
  readGguf: async (bytes) => readGguf(bytes),
}
