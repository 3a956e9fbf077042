/** What the engine asks of a stored pack's bytes, wherever they lie: in a file, in memory, or far away in blocks. */

export interface BlockSource {
  /** Names the pack among all that are read in blocks. */
  number: number
  blockBytes: number
}

/** An immutable local file (disk/ provides it): read synchronously, at any position. */
export interface PackBytes {
  readonly sizeBytes: number
  /** Where it is a file: what another thread of this process may read it by, while it is open. */
  readonly descriptor?: number
  /** Where it comes in blocks. */
  readonly blocks?: BlockSource
  /** Resolves when the bytes can be read at once; absent where they always can. */
  prepare?(position: number, length: number): Promise<void>
  readSync(into: Uint8Array, offset: number, length: number, position: number): number
}
