import t from 'tap'
import { readGguf } from '../../src/formats/gguf.ts'
import { writeGguf } from '../support/gguf.ts'

const keys = {
  'general.architecture': 'llama',
  'llama.context_length': 4096,
  'llama.rope': 5n,
  'general.flag': true,
  'tokenizer.ggml.tokens': ['<s>', '</s>', 'word', 'ü'],
  'tokenizer.ggml.bos_token_id': 0,
  'tokenizer.ggml.eos_token_id': 1,
  'tokenizer.chat_template': '{{ messages }}',
}
const tensors = [
  { name: 'a', shape: [2, 3] },
  { name: 'b', shape: [5] },
  { name: 'c', shape: [] },
]

t.test('what a header says', async (t) => {
  t.same(readGguf(writeGguf(keys, tensors, 100)), {
    header: {
      total: 12,
      architecture: 'llama',
      context_length: 4096,
      chat_template: '{{ messages }}',
      bos_token: '<s>',
      eos_token: '</s>',
    },
  })
  t.match(readGguf(writeGguf({}, [])), { header: { total: 0 } })
})

t.test('cut anywhere, it asks for more', async (t) => {
  const whole = writeGguf(keys, tensors)
  for (let length = 0; length < whole.length; length++) t.equal(readGguf(whole.subarray(0, length)), 'more')
})

t.test('other files, and damaged ones', async (t) => {
  const damaged = (change: (bytes: Buffer) => unknown) => {
    const bytes = writeGguf(keys, tensors)
    change(bytes)
    return readGguf(bytes)
  }
  t.equal(readGguf(Buffer.from('safetensors, or so')), 'none')
  t.equal(
    damaged((bytes) => bytes.writeUInt32LE(1, 4)),
    'none',
    'the version',
  )
  t.equal(
    damaged((bytes) => bytes.writeBigUInt64LE(2n ** 60n, 8)),
    'none',
    'so many tensors',
  )
  t.equal(
    damaged((bytes) => bytes.writeBigUInt64LE(2n ** 60n, 16)),
    'none',
    'so many keys',
  )
  t.equal(
    damaged((bytes) => bytes.writeUInt32LE(99, 24 + 8 + 'general.architecture'.length)),
    'none',
    'a type',
  )
})
