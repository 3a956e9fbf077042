/** 500,000 refs, pushed in five parts: 100,000 commands are the most that one push may have. */
import { join } from 'node:path'
import t from 'tap'
import { addRefs, fewCommits, importHistory } from '../bench/made-history.ts'
import { pushRequest, sendPush } from '../bench/push-series.ts'
import { git } from '../support/git.ts'
import { largeTest, sameRepository } from './large-run.ts'

const refCount = 500_000
const partCount = 100_000

largeTest(t, '500,000 refs', async (t, { folder, url, step }) => {
  const source = join(folder, 'source.git')
  await addRefs(await importHistory(source, fewCommits()), refCount)
  const moves = (await git(source, 'for-each-ref', '--format=%(objectname) %(refname)'))
    .split('\n')
    .map((line) => ({ newId: line.slice(0, 40), ref: line.slice(41) }))
  for (let first = 0; first < refCount; first += partCount) {
    const request = await pushRequest(source, moves.slice(first, first + partCount))
    await step(`push of ${partCount.toLocaleString('en')} refs on top of ${first.toLocaleString('en')}`, () =>
      sendPush(url, request),
    )
  }
  const listed = await step('ls-refs', () => git(folder, 'ls-remote', '--quiet', '--heads', url))
  t.equal(listed.split('\n').length, refCount)
  const clone = join(folder, 'clone.git')
  await step('clone', () => git(folder, 'clone', '--quiet', '--mirror', url, clone))
  await sameRepository(t, clone, source)
})
