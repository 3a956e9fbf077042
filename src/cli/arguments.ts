/** Arguments and options that several commands share, and how they are read. */
import { InvalidArgumentError, Option } from 'commander'
import { HoldfastError } from '../errors.ts'
import type { Hub } from '../hub/hub.ts'
import { parseRepoPath } from '../hub/names.ts'
import { openRepo } from '../hub/open-repo.ts'
import { operator } from '../hub/principal.ts'
import type { Repo } from '../hub/repo.ts'

export const repoTypes = ['model', 'dataset', 'space'] as const

export const repoArgument = 'namespace/name of a model, datasets/namespace/name, or spaces/namespace/name'

/** `--role`, one of the three. */
export function roleOption(description: string): Option {
  return new Option('--role <role>', description).choices(['read', 'write', 'admin'])
}

/** A whole number above zero. */
export function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d{1,9}$/.test(text) && count > 0) return count
  throw new InvalidArgumentError('It must be a whole number above zero.')
}

/** The repository that a path names, for the operator. Throws InputInvalid or RepoNotFound. */
export async function openNamedRepo(hub: Hub, path: string): Promise<Repo> {
  const name = parseRepoPath(path)
  if (name !== undefined) return await openRepo(hub, operator, name, 'admin')
  throw new HoldfastError('InputInvalid', { message: `"${path}" is not the path of a repository: ${repoArgument}.` })
}
