/** Git's lock files: `<path>.lock`, made by whoever may write `<path>`, filled, and renamed over it. */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError } from '../errors.ts'
import { folderOf, removeEmptyFolders } from './folders.ts'

export interface LockFile {
  /** What is to be in the file. */
  write(text: string): void
  /** Makes what was written the file. Its folder is to be synced afterwards. */
  commit(): void
  /** Gives the lock up. Does nothing once committed. */
  release(): void
}

const suffix = Buffer.from('.lock')
// Somebody else may be removing the folders that we make.
const makingMax = 10

/**
 * Waits for the lock up to `timeoutMs`, for ever where that is negative. Throws Conflict where another holds it, and the
 * file system's own error where it cannot be made.
 */
export async function acquireLock(path: Buffer, timeoutMs: number): Promise<LockFile> {
  const lockPath = Buffer.concat([path, suffix])
  const giveUpAt = performance.now() + timeoutMs
  for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 100)) {
    const descriptor = create(lockPath)
    if (descriptor !== undefined) return openLock(path, lockPath, descriptor)
    if (timeoutMs >= 0 && performance.now() >= giveUpAt) {
      throw new HoldfastError('Conflict', { message: `Unable to create '${lockPath}': File exists.` })
    }
    // Several that wait should not wake together.
    await sleep(waitMs * (0.75 + Math.random() / 2))
  }
}

/** Undefined where another holds the lock. */
function create(lockPath: Buffer): number | undefined {
  for (let attempt = 1; ; attempt++) {
    try {
      return openSync(lockPath, 'wx', 0o666)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') return undefined
      if (code !== 'ENOENT' || attempt === makingMax) throw error
      mkdirSync(folderOf(lockPath), { recursive: true })
    }
  }
}

function openLock(path: Buffer, lockPath: Buffer, descriptor: number): LockFile {
  let isOpen = true
  let isHeld = true
  return {
    write(text) {
      // All of it, where `writeSync` may stop short.
      writeFileSync(descriptor, text, 'latin1')
    },
    commit() {
      fsyncSync(descriptor)
      closeSync(descriptor)
      isOpen = false
      renameOver(lockPath, path)
      isHeld = false
    },
    release() {
      if (isOpen) closeSync(descriptor)
      isOpen = false
      if (isHeld) unlinkSync(lockPath)
      isHeld = false
    },
  }
}

/** Folders that deleted refs left behind give way; others make it fail with EISDIR or ENOTEMPTY. */
function renameOver(from: Buffer, to: Buffer): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error
    removeEmptyFolders(to)
    renameSync(from, to)
  }
}
