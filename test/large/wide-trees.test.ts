/** A folder of 100,000 files, changed three times, and 1,000,000 objects. */
import { join } from 'node:path'
import t from 'tap'
import { importHistory } from '../bench/made-history.ts'
import { largeTest, pushAndClone } from './large-run.ts'

largeTest(t, '100,000 files in one tree', async (t, large) => {
  await pushAndClone(t, await importHistory(join(large.folder, 'source.git'), oneWideTree()), large)
})

largeTest(t, '1,000,000 objects', async (t, large) => {
  await pushAndClone(t, await importHistory(join(large.folder, 'source.git'), aMillionObjects()), large)
})

function* oneWideTree(): Generator<string> {
  for (let version = 0; version < 4; version++) {
    yield commit(version)
    const count = version === 0 ? 100_000 : 50
    for (let file = 0; file < count; file++)
      yield inline(`sample-${file * (version + 1)}.txt`, `${file} in ${version}\n`)
  }
}

/** 990,000 blobs in 9,900 folders, and the trees and commits above them. */
function* aMillionObjects(): Generator<string> {
  for (let version = 0; version < 10; version++) {
    yield commit(version)
    for (let file = 0; file < 99_000; file++) {
      yield inline(`part-${version}/${Math.floor(file / 100)}/${file % 100}`, `${version} ${file}\n`)
    }
  }
}

function commit(number: number): string {
  return `commit refs/heads/main\ncommitter Ada <ada@example.org> ${1_700_000_000 + number} +0000\ndata 6\nChange\n`
}

function inline(path: string, content: string): string {
  return `M 100644 inline ${path}\ndata ${content.length}\n${content}\n`
}
