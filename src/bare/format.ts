/** Which formats of repositories can be served (gitrepository-layout, repository-version). */
import { HoldfastError } from '../errors.ts'
import type { GitConfig } from './config.ts'
import type { GitFolder } from './git-folder.ts'

const versionMax = 1

/** Throws Unsupported for what would be misread. */
export function checkFormat({ gitPath }: GitFolder, config: GitConfig): void {
  const version = config.integer('core.repositoryformatversion') ?? 0
  if (version > versionMax)
    throw unsupported(gitPath, `has the repository format version ${version}, which is not known`)
  if (config.text('extensions.objectformat')?.toLowerCase() === 'sha256') {
    throw unsupported(gitPath, 'uses SHA-256 object ids; Holdfast keeps SHA-1 repositories')
  }
  if (config.text('extensions.refstorage')?.toLowerCase() === 'reftable') {
    throw unsupported(gitPath, 'keeps its refs in reftables; convert it with git refs migrate --ref-format=files')
  }
}

function unsupported(gitPath: string, what: string): HoldfastError {
  return new HoldfastError('Unsupported', { message: `The repository at ${gitPath} ${what}.` })
}
