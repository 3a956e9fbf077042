/** An immutable local file read synchronously through a descriptor, shared by as many readers as there are. */
import { readSync, readv } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { LocalFile } from './disk.ts'

const readVector = promisify(readv)

/**
 * Takes over an open handle on `sizeBytes` immutable bytes (a bucket's `openFile`, say) without copying them. Closing
 * the file closes the handle, once; reading afterwards throws, since the descriptor's number may be another file by then.
 */
export function localFileFrom(handle: FileHandle, sizeBytes: number): LocalFile {
  return shareDescriptor(handle.fd, sizeBytes, () => closeQuietly(handle))
}

/** A view of an open descriptor that somebody else owns; `release` is called once, when this view is closed. */
export function shareDescriptor(fd: number, sizeBytes: number, release: () => void): LocalFile {
  let isOpen = true
  return {
    sizeBytes,
    descriptor: fd,
    readSync(into, offset, length, position) {
      if (!isOpen) throw new Error('This local file was closed.')
      return readFully(fd, into, offset, length, position)
    },
    async readViews(views, position) {
      if (!isOpen) throw new Error('This local file was closed.')
      await fillViews(fd, views, position)
    },
    close() {
      if (!isOpen) return
      isOpen = false
      release()
    },
  }
}

/** Reads until `length` bytes have come or the file ends: one read(2) may give fewer (at most 2 GiB at a time). */
export function readFully(fd: number, into: Uint8Array, offset: number, length: number, position: number): number {
  let done = 0
  while (done < length) {
    const count = readSync(fd, into, offset + done, length - done, position + done)
    if (count === 0) break
    done += count
  }
  return done
}

async function fillViews(fd: number, views: readonly Uint8Array[], position: number): Promise<void> {
  let left = [...views]
  let done = 0
  while (left.length > 0) {
    let { bytesRead } = await readVector(fd, left, position + done)
    if (bytesRead === 0) throw new Error('A local file is shorter than it was.')
    done += bytesRead
    while (left.length > 0 && bytesRead >= left[0].length) bytesRead -= left.shift()!.length
    if (bytesRead > 0) left = [left[0].subarray(bytesRead), ...left.slice(1)]
  }
}

/** Closes a handle that was only read, or whose content no longer matters: there is nothing to do about a failure. */
export function closeQuietly(handle: FileHandle): void {
  handle.close().catch(() => {})
}
