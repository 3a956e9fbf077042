/**
 * Bytes of packs that are not at hand. Reading is synchronous, so it fails with a promise of them, and whoever can begins again
 * once they have come: what is read in this way must have no effects.
 */

/** Whoever may wait calls `load` and reads again from the beginning. */
export class BytesAbsent extends Error {
  readonly load: () => Promise<void>

  constructor(load: () => Promise<void>) {
    super('Bytes of a pack are not at hand.')
    this.load = load
  }
}

// Each begins with a block more; objects that were read meanwhile are remembered.
const attemptsMax = 10_000

/** Runs `read` until all bytes that it needs are at hand. */
export async function whileBytesAbsent<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof BytesAbsent) || attempt === attemptsMax) throw error
      await error.load()
    }
  }
}

/** The same for a stream, up to its first chunk. */
export async function* streamWhileBytesAbsent(read: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { source, first } = await whileBytesAbsent(async () => {
    const started = read()[Symbol.asyncIterator]()
    return { source: started, first: await started.next() }
  })
  try {
    for (let next = first; !next.done; next = await source.next()) yield next.value
  } finally {
    await source.return?.()
  }
}
