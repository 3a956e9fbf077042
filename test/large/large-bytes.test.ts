/** A pack of more than 4 GiB, whose index needs offsets of 64 bits, and a file of more than 2 GiB. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { gibibyteOfBlobs, importHistory } from '../bench/made-history.ts'
import { largeTest, pushAndClone } from './large-run.ts'

const MiB = 2 ** 20
const blobCount = 540
const fileBlocks = 132
const blockBytes = 16 * MiB

largeTest(t, 'a pack of 4.2 GiB, files of 8 MiB', async (t, large) => {
  await pushAndClone(t, await importHistory(join(large.folder, 'source.git'), gibibyteOfBlobs(blobCount), 0), large)
})

largeTest(
  t,
  'a file of 2.06 GiB',
  async (t, large) => {
    await pushAndClone(t, await importHistory(join(large.folder, 'source.git'), oneLargeFile(), 0), large)
  },
  { GIT_BLOB_MAX_BYTES: String(4 * 1024 * MiB) },
)

/** The same block again and again: too far apart for compression to notice. */
function* oneLargeFile(): Generator<string | Buffer> {
  yield 'commit refs/heads/main\ncommitter Ada <ada@example.org> 1700000000 +0000\ndata 6\nWeight\n'
  yield `M 100644 inline weights.bin\ndata ${fileBlocks * blockBytes}\n`
  const block = randomBytes(blockBytes)
  for (let number = 0; number < fileBlocks; number++) yield block
  yield '\n'
}
