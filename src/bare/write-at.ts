/** Bytes written to a file at a place, all of them: the system may take fewer than it is given. */
import type { FileHandle } from 'node:fs/promises'

export async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}
