/** An immutable local file read synchronously through a descriptor, shared by as many readers as there are. */
import { readSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { LocalFile } from './disk.ts'

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

/** Closes a handle that was only read, or whose content no longer matters: there is nothing to do about a failure. */
export function closeQuietly(handle: FileHandle): void {
  handle.close().catch(() => {})
}
