/** A plain repository on disk: the second adapter under the engine's ports (gitrepository-layout). */
import { join } from 'node:path'
import type { ObjectId } from '../git/object-id.ts'
import { locateId, type RefSnapshot } from '../git/repository.ts'
import { BareObjects } from './bare-objects.ts'
import { readBareRefs, readRawRefs } from './bare-refs.ts'
import { readGitConfig } from './config.ts'
import { checkFormat } from './format.ts'
import { findGitFolder, type GitFolder } from './git-folder.ts'
import { checkOwner } from './ownership.ts'
import { RefStore } from './ref-store.ts'
import { type BareSettings, readSettings } from './settings.ts'
import { readShallowIds } from './shallow-file.ts'

export interface BareRepository extends GitFolder {
  readonly settings: BareSettings
  readonly refStore: RefStore
  readonly objectsPath: string
  /** Commits at which the repository's history is cut off. */
  readonly shallowIds: readonly ObjectId[]
  /** What lay there when it was opened, or when `refs` last named something that was not there then. */
  readonly objects: BareObjects
  /** HEAD and all refs, now. `objects` has what they name; a ref to a missing object is left out, or throws ObjectMissing. */
  refs(options?: { isStrict?: boolean }): Promise<RefSnapshot>
  /** Gives file descriptors back; `objects` must not be used any more. */
  close(): void
}

export interface OpenOptions {
  /** Only the folder itself, no `.git` in or behind it. */
  isExact?: boolean
  /** Only a repository of this user, or one declared safe: it is served, so that its hooks and configuration count. */
  isOwnedOnly?: boolean
  /** Indexes are read through before they are believed: PackInvalid for a damaged one. */
  isVerified?: boolean
}

/**
 * Opens a bare repository, or the `.git` folder of a work tree given by either's path. Throws RepoNotFound, and
 * Unsupported for repositories in SHA-256 or with reftables; InputInvalid for a configuration that cannot be read;
 * AccessDenied as `isOwnedOnly` says.
 */
export async function openBareRepository(path: string, options: OpenOptions = {}): Promise<BareRepository> {
  const folder = findGitFolder(path, options.isExact ?? false)
  if (options.isOwnedOnly) checkOwner(folder.gitPath)
  const config = readGitConfig(folder.commonPath)
  checkFormat(folder, config)
  return new DiskRepository(folder, readSettings(config), options.isVerified ?? false)
}

class DiskRepository implements BareRepository {
  readonly gitPath: string
  readonly commonPath: string
  readonly settings: BareSettings
  readonly refStore: RefStore
  readonly objectsPath: string
  readonly shallowIds: readonly ObjectId[]
  objects: BareObjects

  constructor(folder: GitFolder, settings: BareSettings, isVerified: boolean) {
    const { gitPath, commonPath } = folder
    this.gitPath = gitPath
    this.commonPath = commonPath
    this.settings = settings
    this.refStore = new RefStore(gitPath, commonPath)
    this.objectsPath = join(commonPath, 'objects')
    this.shallowIds = readShallowIds(folder)
    this.objects = BareObjects.open(this.objectsPath, { shallowIds: this.shallowIds, isVerified })
  }

  async refs({ isStrict = false } = {}): Promise<RefSnapshot> {
    // Refs first: what they name was written before them, so that it is found afterwards.
    const raw = readRawRefs(this.refStore)
    const isMissing = ([, id]: readonly [string, ObjectId]) => locateId(this.objects, id) < 0
    if (raw.ids.some(isMissing)) this.#reopenObjects()
    return readBareRefs(this.refStore, raw, this.objects, isStrict)
  }

  close(): void {
    this.objects.close()
  }

  #reopenObjects(): void {
    const former = this.objects
    this.objects = BareObjects.open(this.objectsPath, { shallowIds: this.shallowIds })
    former.close()
  }
}
