/** Arguments and options that several commands share, and what they stand for. */
import { InvalidArgumentError, Option } from 'commander'
import { HoldfastError } from '../errors.ts'
import type { Hub } from '../hub/hub.ts'
import { parseRepoPath } from '../hub/names.ts'
import { openRepo } from '../hub/open-repo.ts'
import { operator, roles } from '../hub/principal.ts'
import type { Repo, RepoName } from '../hub/repo.ts'
import { listVisibleRepos, type RepoListOptions } from '../hub/repos.ts'

/** How a repository is named on the command line. */
export const repoArgument = 'namespace/name of a model, datasets/namespace/name, or spaces/namespace/name'

/** `--role`, one of the three. */
export function roleOption(description: string): Option {
  return new Option('--role <role>', description).choices(roles)
}

/** A whole number above zero. */
export function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d{1,9}$/.test(text) && count > 0) return count
  throw new InvalidArgumentError('It must be a whole number above zero.')
}

/** The repository that a path names, for the operator. Throws InputInvalid or RepoNotFound. */
export async function openNamedRepo(hub: Hub, path: string): Promise<Repo> {
  return await openRepo(hub, operator, readRepoPath(path), 'admin')
}

/** All repositories, newest first, page by page. */
export async function* allRepos(hub: Hub, options: RepoListOptions = {}): AsyncGenerator<Repo> {
  let after: string | undefined
  do {
    const page = await listVisibleRepos(hub, operator, { ...options, after })
    yield* page.repos
    after = page.next
  } while (after !== undefined)
}

/** The name that a path stands for. Throws InputInvalid. */
export function readRepoPath(path: string): RepoName {
  const name = parseRepoPath(path)
  if (name !== undefined) return name
  throw new HoldfastError('InputInvalid', { message: `"${path}" is not the path of a repository: ${repoArgument}.` })
}

/** The namespace and name in `namespace/name`. Throws InputInvalid. */
export function splitPath(path: string): [namespace: string, name: string] {
  const name = parseRepoPath(path)
  if (name?.type === 'model') return [name.namespace, name.name]
  throw new HoldfastError('InputInvalid', { message: `"${path}" is not of the form namespace/name.` })
}

/** Ref names are bytes, held as latin1; a terminal speaks UTF-8. */
export function refNameArgument(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
