/** A hosted repository as the rules see it: one row, read at the start of every request and never kept. */
import type { NamespaceId, RepoId } from '../database/queryable.ts'
import type { RefRules } from '../database/ref-rules.ts'
import type { Role } from './principal.ts'

export const repoTypes = ['model', 'dataset', 'space'] as const
export type RepoType = (typeof repoTypes)[number]
export type Visibility = 'public' | 'private'

/** How a repository is addressed from outside: `/{prefix}{namespace}/{name}`. Matched without regard to case. */
export interface RepoName {
  type: RepoType
  namespace: string
  name: string
}

export interface Repo extends RepoName, RefRules {
  id: RepoId
  namespaceId: NamespaceId
  visibility: Visibility
  /** What whoever opened it may do with it. */
  access: Role
  /** The full name of the ref HEAD points to, latin1. */
  headTarget: string
  refsVersion: string
  packsVersion: string
  /** The size of the pack to clone from; null where there is none. */
  clonePackBytes: number | null
  createdAt: Date
  updatedAt: Date
}

/** '' | 'datasets/' | 'spaces/': what stands before the namespace in URLs. */
export const repoPrefixes: Record<RepoType, string> = { model: '', dataset: 'datasets/', space: 'spaces/' }

/** The path part of a repository's URL, without a leading slash. */
export function repoPath(repo: RepoName): string {
  return `${repoPrefixes[repo.type]}${repo.namespace}/${repo.name}`
}
