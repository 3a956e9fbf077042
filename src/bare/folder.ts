/** A folder of repositories, served by their paths within it, as their configurations allow. */
import { realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { HoldfastError } from '../errors.ts'
import type { ByteStream } from '../git/object-id.ts'
import type { GitService } from '../git/protocol/capabilities.ts'
import type { Limits } from '../limits.ts'
import { type BareRepository, openBareRepository } from './bare-repository.ts'
import { findGitFolder } from './git-folder.ts'
import { localLimits } from './limits.ts'
import { advertiseService, answerService } from './service.ts'

export interface FolderServiceRequest {
  service: GitService
  /** As GIT_PROTOCOL or the Git-Protocol header has it. */
  protocol: string | string[] | undefined
}

/** Answers for the repository at a path within the folder. Each stream closes what was opened when it ends or is left. */
export interface RepositoryFolder {
  limits: Limits
  advertise(path: string, request: FolderServiceRequest): Promise<ByteStream>
  answer(path: string, request: FolderServiceRequest, body: ByteStream, signal: AbortSignal): Promise<ByteStream>
}

/** Throws InputInvalid where `root` is no folder. */
export function openRepositoryFolder(root: string, { isReadOnly }: { isReadOnly: boolean }): RepositoryFolder {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new HoldfastError('InputInvalid', { message: `${root} is not a folder.` })
  }
  const realRoot = realpathSync(root)
  const open = async (path: string, { service }: FolderServiceRequest) => {
    const repository = await openWithin(realRoot, path)
    try {
      checkService(repository, service, isReadOnly)
      return repository
    } catch (error) {
      repository.close()
      throw error
    }
  }
  const never = new AbortController().signal
  return {
    limits: localLimits,
    async advertise(path, request) {
      const repository = await open(path, request)
      const service = { ...request, isStateless: true, directory: repository.gitPath, signal: never }
      return closing(repository, advertiseService(repository, service, { smartHttp: true }))
    },
    async answer(path, request, body, signal) {
      const repository = await open(path, request)
      const service = { ...request, isStateless: true, directory: repository.gitPath, signal }
      return closing(repository, answerService(repository, service, body))
    },
  }
}

/** What lies outside the folder, whichever way a link leads there, is no repository of it. */
async function openWithin(realRoot: string, path: string): Promise<BareRepository> {
  if (path.split('/').includes('..') || path.includes('\0')) throw notFound()
  let folders: string[]
  try {
    const { gitPath, commonPath } = findGitFolder(join(realRoot, path), false)
    folders = [gitPath, commonPath].map((folder) => realpathSync(folder))
  } catch {
    throw notFound()
  }
  const isInside = (folder: string) => folder === realRoot || folder.startsWith(realRoot + sep)
  if (!folders.every(isInside)) throw notFound()
  return await openBareRepository(folders[0], { isExact: true, isOwnedOnly: true })
}

/** As git http-backend, but that pushes are taken unless something speaks against them: there is nobody to sign in. */
function checkService({ settings }: BareRepository, service: GitService, isReadOnly: boolean): void {
  const { uploadPack = true, receivePack = true } = settings.http
  if (service === 'git-upload-pack' && !uploadPack) throw denied('http.uploadpack is false in this repository.')
  if (service === 'git-upload-pack') return
  if (isReadOnly) throw denied('These repositories are served read-only.')
  if (!receivePack) throw denied('http.receivepack is false in this repository.')
}

async function* closing(repository: BareRepository, stream: ByteStream): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } finally {
    repository.close()
  }
}

function notFound(): HoldfastError {
  return new HoldfastError('RepoNotFound', { message: 'There is no Git repository at this address.' })
}

function denied(message: string): HoldfastError {
  return new HoldfastError('AccessDenied', { message })
}
