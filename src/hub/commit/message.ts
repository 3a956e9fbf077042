/** What stands in a commit that the API writes. */
import { HoldfastError } from '../../errors.ts'

/** Summary, empty line, description. Throws InputInvalid for what is no text, InputTooLarge. */
export function formatMessage(
  { summary, description }: { summary: string; description: string },
  maxBytes: number,
): string {
  const text = description.trim() === '' ? summary.trimEnd() : `${summary.trimEnd()}\n\n${description.trimEnd()}`
  if (text.trim() === '' || text.includes('\0') || !text.isWellFormed()) {
    throw new HoldfastError('InputInvalid', { message: 'A commit needs a summary of Unicode text without NUL.' })
  }
  if (Buffer.byteLength(text) > maxBytes) {
    throw new HoldfastError('InputTooLarge', { message: `A commit's message may have ${maxBytes} bytes.` })
  }
  return `${text}\n`
}
