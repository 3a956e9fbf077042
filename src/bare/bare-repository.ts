/** A plain bare repository on disk, read: the second adapter under the engine's ports (gitrepository-layout). */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../errors.ts'
import type { ObjectDatabase, RefSnapshot } from '../git/repository.ts'
import { BareObjects } from './bare-objects.ts'
import { readBareRefs } from './bare-refs.ts'

export interface BareRepository {
  /** The folder that holds `HEAD` and `objects`. */
  readonly gitPath: string
  /** What lay there when it was opened. */
  readonly objects: ObjectDatabase
  /** HEAD and all refs, now. Throws ObjectMissing where one points to an object that came later or never. */
  refs(): Promise<RefSnapshot>
  /** Gives file descriptors back; `objects` must not be used any more. */
  close(): void
}

/**
 * Opens a bare repository, or the `.git` folder of a work tree given by either's path. Throws RepoNotFound, and
 * Unsupported for repositories in SHA-256 or with reftables, and for shallow ones.
 */
export async function openBareRepository(path: string): Promise<BareRepository> {
  const gitPath = [path, join(path, '.git')].find(
    (folder) => existsSync(join(folder, 'HEAD')) && existsSync(join(folder, 'objects')),
  )
  if (gitPath === undefined)
    throw new HoldfastError('RepoNotFound', { message: `There is no Git repository at ${path}.` })
  checkFormat(gitPath)
  const objects = new BareObjects(join(gitPath, 'objects'))
  return {
    gitPath,
    objects,
    refs: async () => readBareRefs(gitPath, objects),
    close: () => objects.close(),
  }
}

function checkFormat(gitPath: string): void {
  const configPath = join(gitPath, 'config')
  const config = existsSync(configPath) ? readFileSync(configPath, 'utf8') : ''
  if (/^\s*objectformat\s*=\s*sha256\s*$/im.test(config)) {
    throw unsupported(gitPath, 'uses SHA-256 object ids; Holdfast keeps SHA-1 repositories')
  }
  if (/^\s*refstorage\s*=\s*reftable\s*$/im.test(config)) {
    throw unsupported(gitPath, 'keeps its refs in reftables; convert it with git refs migrate --ref-format=files')
  }
  if (existsSync(join(gitPath, 'shallow'))) {
    throw unsupported(gitPath, 'is shallow: its history is cut off; complete it with git fetch --unshallow')
  }
}

function unsupported(gitPath: string, what: string): HoldfastError {
  return new HoldfastError('Unsupported', { message: `The repository at ${gitPath} ${what}.` })
}
