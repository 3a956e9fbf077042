/** The same pushes to a hosted repository and to git's own, whose answers are compared. */
import { join } from 'node:path'
import type { Test } from 'tap'
import { run, temporaryFolder } from './git.ts'
import type { HouseOptions } from './house.ts'
import { openPushScene, type PushScene } from './push-scene.ts'

export interface PushOracle extends PushScene {
  /** What git shows of each ref, sorted: flag, refs, summary. The first of the hosted repository, the second of git's. */
  push(...args: string[]): Promise<[hosted: string[], git: string[]]>
  /** What either repository has, by `ls-remote`. */
  refs(): Promise<[hosted: string, git: string]>
}

/** An empty hosted repository and an empty bare one, and a work tree. `refs` is left out of `args`, which end in refspecs. */
export async function openPushOracle(t: Test, options: HouseOptions = {}): Promise<PushOracle> {
  const scene = await openPushScene(t, options)
  const bare = join(temporaryFolder(t), 'oracle.git')
  await run('git', ['init', '-q', '--bare', '-b', 'main', bare])
  const urls = [scene.remote, `file://${bare}`]
  return {
    ...scene,
    async push(...args) {
      const flags = args.filter((arg) => arg.startsWith('--'))
      const refspecs = args.filter((arg) => !arg.startsWith('--'))
      const [hosted, git] = await Promise.all(
        urls.map(async (url) => {
          const { stdout } = await scene.git('push', '--porcelain', ...flags, url, ...refspecs)
          const lines = stdout.split('\n').filter((line) => line.includes('\t'))
          return lines.sort()
        }),
      )
      return [hosted, git]
    },
    async refs() {
      const [hosted, git] = await Promise.all(urls.map(async (url) => (await scene.git('ls-remote', url)).stdout))
      return [hosted, git]
    },
  }
}

/** Flag and refs of a porcelain line, without the words of the summary. */
export function fates(lines: readonly string[]): string[] {
  return lines.map((line) => line.split('\t').slice(0, 2).join(' '))
}
