/** Reading files' formats: at once where they are short, in a worker thread where they would hold the event loop up. */
import { type FormatReaders, formatReaders } from '../formats/worker.ts'
import type { Hub } from './hub.ts'

// The slowest of them, YAML, takes some milliseconds for so many bytes.
const hereMaxBytes = 16 * 1024

/** What the reader of that name makes of `input`, which has `sizeBytes`. */
export async function readFormat<Name extends keyof FormatReaders>(
  hub: Hub,
  name: Name,
  { input, sizeBytes }: { input: Parameters<FormatReaders[Name]>[0]; sizeBytes: number },
): Promise<ReturnType<FormatReaders[Name]>> {
  const read = formatReaders[name] as (input: unknown) => ReturnType<FormatReaders[Name]>
  if (sizeBytes <= hereMaxBytes) return read(input)
  return (await hub.workers.run(name, input as never)) as ReturnType<FormatReaders[Name]>
}
