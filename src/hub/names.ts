/** The rules for names of accounts and repositories: those which the Hub's clients check themselves (hub-api.md §1.1). */
import type { Limits } from '../config.ts'
import { HoldfastError } from '../errors.ts'
import { type RepoName, repoPrefixes, repoTypes } from './repo.ts'
import { isReservedName } from './reserved-names.ts'

/** Throws InputInvalid or NameReserved, with a sentence, unless a new account may have this name. */
export function checkAccountName(name: string, limits: Limits): void {
  checkName(name, 'account', limits.accountNameMaxLength)
  if (!isReservedName(name)) return
  throw new HoldfastError('NameReserved', { message: `The name "${name}" is reserved. Take another one.` })
}

/** Throws InputInvalid, with a sentence, unless a new repository may have this name. */
export function checkRepoName(name: string, limits: Limits): void {
  checkName(name, 'repository', limits.repoNameMaxLength)
}

function checkName(name: string, kind: 'account' | 'repository', lengthMax: number): void {
  const fault = findFault(name, lengthMax)
  if (fault === undefined) return
  throw new HoldfastError('InputInvalid', {
    message: `"${name.slice(0, 200)}" cannot be the name of this ${kind}: ${fault}.`,
  })
}

function findFault(name: string, lengthMax: number): string | undefined {
  if (name.length === 0 || name.length > lengthMax) return `it must have 1 to ${lengthMax} characters`
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) return 'only letters, digits, "-", "_" and "." are allowed'
  if (/^[-.]|[-.]$/.test(name)) return '"-" and "." cannot stand at its beginning or end'
  if (/--|\.\./.test(name)) return '"--" and ".." are not allowed in it'
  if (/\.git$/i.test(name)) return 'it cannot end in ".git"'
  return undefined
}

/** Reads `namespace/name`, `datasets/namespace/name` or `spaces/namespace/name`: a repository as URLs write it. */
export function parseRepoPath(path: string): RepoName | undefined {
  const parts = /^(datasets\/|spaces\/)?([^/]+)\/([^/]+)$/.exec(path)
  if (parts === null) return undefined
  const [, prefix = '', namespace, name] = parts
  if (prefix === '' && (namespace === 'datasets' || namespace === 'spaces')) return undefined
  const type = repoTypes.find((each) => repoPrefixes[each] === prefix)
  return type === undefined ? undefined : { type, namespace, name }
}
