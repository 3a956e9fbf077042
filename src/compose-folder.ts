/** A third deployment beside those of compose.ts: the door of Git over a folder of repositories, without database or accounts. */
import { openRepositoryFolder } from './bare/folder.ts'
import { createFolderServer } from './http/git/folder-server.ts'
import { listenOn } from './http/listening.ts'

export interface FolderServerOptions {
  host: string
  port: number
  isReadOnly: boolean
  /** Told of defects. */
  onDefect(error: unknown): void
}

/** Serves the repositories under `root` until closed. Rejects where the folder or the address cannot be had. */
export async function startFolderServer(
  root: string,
  { host, port, isReadOnly, onDefect }: FolderServerOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  const folder = openRepositoryFolder(root, { isReadOnly })
  const server = createFolderServer(folder, { onDefect, isLoopback: isLoopback(host) })
  return await listenOn(server, { host, port, limits: folder.limits, remedy: 'Give another --host or --port.' })
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}
