/**
 * Refs moved as git's files backend moves them: every ref locked by its `.lock` file, then every old value and every name
 * compared, then everything written. So what fails before the first file is renamed has changed nothing.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../errors.ts'
import { fairLoop } from '../git/fair-loop.ts'
import type { RefCommand } from '../git/repository.ts'
import { folderOf, removeEmptyParents, removeFile, syncFoldersOf } from './folders.ts'
import { acquireLock, type LockFile } from './lock-file.ts'
import { withoutPackedRefs } from './packed-refs.ts'
import { refPath } from './ref-files.ts'
import { appendRefLog, clearRefLogPath, removeRefLog } from './ref-log.ts'
import { checkNames } from './ref-names.ts'
import type { RefStore } from './ref-store.ts'
import type { RefSettings } from './settings.ts'

interface LockedRef extends RefCommand {
  /** The name that was asked for, where a symbolic ref of that name led here. */
  symref: string | undefined
  path: Buffer
  lock: LockFile
}

/**
 * Moves all refs or none. Throws Conflict with git's words where one is locked, is not what `oldId` says, or cannot stand
 * beside another's name.
 */
export async function moveRefs(store: RefStore, commands: readonly RefCommand[], settings: RefSettings): Promise<void> {
  const transaction = new RefTransaction(store, settings)
  try {
    await transaction.prepare(commands)
    await transaction.commit()
  } finally {
    transaction.release()
  }
}

class RefTransaction {
  readonly #store: RefStore
  readonly #settings: RefSettings
  readonly #logsPath: string
  readonly #refs: LockedRef[] = []
  readonly #names = new Set<string>()
  #packed: { lock: LockFile; text: string } | undefined

  constructor(store: RefStore, settings: RefSettings) {
    this.#store = store
    this.#settings = settings
    this.#logsPath = join(store.commonPath, 'logs')
  }

  async prepare(commands: readonly RefCommand[]): Promise<void> {
    const pause = fairLoop()
    // In one order, so that two transactions never wait for each other.
    for (const command of commands.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      await this.#lock(command)
      if (pause.due(16)) await pause.now()
    }
    const created = this.#refs.filter((ref) => ref.newId !== undefined && this.#store.value(ref.name) === undefined)
    checkNames(
      this.#store,
      created.map(({ name }) => name),
      this.#refs.map(({ name }) => name),
    )
    for (const ref of this.#refs) this.#verify(ref)
    for (const { name, symref = name, newId } of this.#refs) {
      if (newId === undefined) continue
      for (const logged of new Set([name, symref])) clearRefLogPath(this.#logsPath, logged, this.#settings)
    }
    for (const ref of this.#refs) if (ref.newId !== undefined) ref.lock.write(`${ref.newId}\n`)
    await this.#lockPacked()
  }

  /** Moves first, deletions last: what is renamed must not be lost by a crash in between. */
  async commit(): Promise<void> {
    const headTarget = this.#store.headTarget()
    for (const ref of this.#refs) {
      this.#log(ref, headTarget)
      if (ref.newId !== undefined) ref.lock.commit()
    }
    this.#packed?.lock.commit()
    for (const ref of this.#refs) if (ref.newId === undefined) this.#delete(ref)
    await syncFoldersOf([...this.#refs.map(({ path }) => path), Buffer.from(this.#store.packedRefsPath())])
  }

  release(): void {
    for (const { lock, path } of this.#refs.splice(0)) {
      lock.release()
      // Folders that were made for the lock alone, or held only what is deleted.
      this.#removeEmptyParents(path)
    }
    this.#packed?.lock.release()
  }

  async #lock(command: RefCommand): Promise<void> {
    const resolved = this.#store.resolve(command.name)
    // A symbolic ref stands for what it names.
    const name = resolved?.name ?? command.name
    if (this.#names.has(name)) {
      const via = name === command.name ? '' : ` (including one via symref '${command.name}')`
      throw conflict(`multiple updates for '${name}'${via} are not allowed`)
    }
    const path = refPath(this.#store.commonPath, name)
    try {
      const lock = await acquireLock(path, this.#settings.refLockTimeoutMs)
      const symref = name === command.name ? undefined : command.name
      this.#refs.push({ ...command, name, symref, path, lock })
      this.#names.add(name)
    } catch (error) {
      throw cannotLock(command.name, this.#explain(error, name))
    }
  }

  /** A file in place of one of the folders is a ref whose name stands in the way. */
  #explain(error: unknown, name: string): string {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ENOTDIR' && code !== 'EEXIST') return message
    const parts = name.split('/')
    const parents = parts.map((_, length) => parts.slice(0, length + 1).join('/'))
    const other = parents.find((parent) => parent !== name && this.#store.value(parent) !== undefined)
    return other === undefined ? message : `'${other}' exists; cannot create '${name}'`
  }

  #verify({ name, symref, oldId, newId }: LockedRef): void {
    const asked = symref ?? name
    const found = this.#store.resolve(name)?.id
    if (found === oldId) return
    // Deleting what is not there is no failure to git, as long as nothing else is there either.
    if (newId === undefined && found === undefined) return
    if (oldId === undefined) throw cannotLock(asked, 'reference already exists')
    if (found === undefined) throw cannotLock(asked, `unable to resolve reference '${name}'`)
    throw cannotLock(asked, `is at ${found} but expected ${oldId}`)
  }

  async #lockPacked(): Promise<void> {
    const names = new Set(this.#refs.filter(({ newId }) => newId === undefined).map(({ name }) => name))
    if (names.size === 0 || !existsSync(this.#store.packedRefsPath())) return
    const path = Buffer.from(this.#store.packedRefsPath())
    const lock = await acquireLock(path, this.#settings.packedRefsTimeoutMs)
    const text = withoutPackedRefs(readFileSync(path, 'latin1'), names)
    if (text === undefined) {
      lock.release()
      return
    }
    this.#packed = { lock, text }
    lock.write(text)
  }

  #log(ref: LockedRef, headTarget: string | undefined): void {
    const { name, symref, oldId, newId } = ref
    if (newId !== undefined) appendRefLog(this.#logsPath, { name, oldId, newId }, this.#settings)
    if (symref !== undefined) appendRefLog(this.#logsPath, { name: symref, oldId, newId }, this.#settings)
    if (name !== headTarget) return
    appendRefLog(join(this.#store.gitPath, 'logs'), { name: 'HEAD', oldId, newId }, this.#settings)
  }

  #delete({ name, path, lock }: LockedRef): void {
    removeRefLog(this.#logsPath, name)
    // Where only packed-refs has it, folders of refs that have gone may lie there.
    removeFile(path)
    lock.release()
  }

  #removeEmptyParents(path: Buffer): void {
    const kept = path
      .subarray(this.#store.commonPath.length + 1)
      .toString('latin1')
      .split('/')
      .slice(0, 2)
      .join('/')
    if (folderOf(path).length > this.#store.commonPath.length)
      removeEmptyParents(path, refPath(this.#store.commonPath, kept))
  }
}

function cannotLock(name: string, why: string): HoldfastError {
  return conflict(`cannot lock ref '${Buffer.from(name, 'latin1')}': ${why}`)
}

function conflict(message: string): HoldfastError {
  return new HoldfastError('Conflict', { message })
}
