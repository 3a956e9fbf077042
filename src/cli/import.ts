/** `holdfast import`: a bare repository on this machine becomes a hosted one. */
import { type Command, Option } from 'commander'
import { openBareRepository } from '../bare/bare-repository.ts'
import { findLfsFile } from '../bare/lfs-files.ts'
import { checkComplete } from '../bare/shallow-file.ts'
import { HoldfastError, isHoldfastError } from '../errors.ts'
import type { Hub } from '../hub/hub.ts'
import { type Imported, type ImportOptions, importRepository } from '../hub/import.ts'
import { openRepo } from '../hub/open-repo.ts'
import { operator } from '../hub/principal.ts'
import { type Repo, repoPath } from '../hub/repo.ts'
import { createRepo } from '../hub/repos.ts'
import { readRepoPath, repoArgument } from './arguments.ts'
import { note, print } from './output.ts'
import { withHub } from './with-hub.ts'

/** Adds `import`. */
export function addImportCommand(program: Command): void {
  program
    .command('import')
    .description('take in a Git repository from a folder, with the LFS objects in it; prints what was imported')
    .argument('<path>', 'a bare repository (git clone --mirror makes one), or a work tree')
    .argument('<repo>', `${repoArgument}; made if it does not exist`)
    .option('--private', 'a repository made for it is private', false)
    .addOption(new Option('--allow-missing-lfs', 'take pointers whose content is not there').default(false))
    .addHelpText(
      'after',
      '\nExamples:\n  $ git clone --mirror https://example.org/model.git && git -C model.git lfs fetch --all\n  $ holdfast import model.git ann/model',
    )
    .action(async (path: string, repo: string, options: { private: boolean; allowMissingLfs: boolean }) => {
      await withHub(async (hub) => {
        const { refCount, objectCount, lfsObjectCount, name } = await importFolder(hub, path, repo, options)
        print(`${name}: ${refCount} refs, ${objectCount} objects, ${lfsObjectCount} LFS objects`)
      })
    })
}

async function importFolder(
  hub: Hub,
  path: string,
  target: string,
  options: { private: boolean; allowMissingLfs: boolean },
): Promise<Imported & { name: string }> {
  const source = await openBareRepository(path, { isVerified: true })
  try {
    checkComplete(source)
    const refs = await source.refs({ isStrict: true })
    const repo = await openOrCreate(hub, target, options.private)
    const { signal, stop } = interruptible()
    const progress = progressLine()
    try {
      const findLfs = (lfsOid: string) => findLfsFile(source.gitPath, lfsOid)
      const importOptions: ImportOptions = {
        allowMissingLfs: options.allowMissingLfs,
        onProgress: progress.show,
        signal,
      }
      const imported = await importRepository(hub, repo, { refs, objects: source.objects, findLfs }, importOptions)
      return { ...imported, name: repoPath(repo) }
    } finally {
      progress.clear()
      stop()
    }
  } finally {
    source.close()
  }
}

async function openOrCreate(hub: Hub, path: string, isPrivate: boolean): Promise<Repo> {
  const name = readRepoPath(path)
  return await openRepo(hub, operator, name, 'admin').catch(async (error: unknown) => {
    if (!isHoldfastError(error, 'RepoNotFound')) throw error
    return await createRepo(hub, operator, name, isPrivate ? 'private' : 'public')
  })
}

/** Ctrl-C stops the import between two objects, so that nothing half-done stays; a second one ends the process. */
function interruptible(): { signal: AbortSignal; stop(): void } {
  const abort = new AbortController()
  const interrupt = () =>
    abort.abort(new HoldfastError('Unavailable', { message: 'Interrupted. Nothing was imported.' }))
  process.once('SIGINT', interrupt)
  return { signal: abort.signal, stop: () => process.off('SIGINT', interrupt) }
}

const barWidth = 30
const clearLine = '\r\u001b[K'

/** Counters overwrite each other, as a bar where they know their total, and only where a person watches. */
function progressLine(): { show(text: string): void; clear(): void } {
  const isWatched = process.stderr.isTTY === true
  const clear = () => {
    if (isWatched) process.stderr.write(clearLine)
  }
  return {
    clear,
    show(text) {
      if (!text.endsWith('\r')) {
        clear()
        note(text.trimEnd())
      } else if (isWatched) {
        process.stderr.write(`${clearLine}${withBar(text.slice(0, -1))}`)
      }
    },
  }
}

function withBar(text: string): string {
  const [, phase, done, total] = /^(.*): (\d+)\/(\d+)$/.exec(text) ?? []
  if (phase === undefined || Number(total) === 0) return text
  const filled = Math.round((Number(done) / Number(total)) * barWidth)
  return `${phase} [${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${done}/${total}`
}
