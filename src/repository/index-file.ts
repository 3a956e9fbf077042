/**
 * What lies beside a pack, in one file so that it costs one request: the pack's index (`.idx`) and behind it, from a multiple
 * of 8 on so that it is read in place, its side-car. Older packs have none.
 */
import { isHoldfastError } from '../errors.ts'
import { PackIndex } from '../git/pack/pack-index.ts'
import type { ReceivedPack } from '../git/pack/receive-pack-file.ts'
import { SideCar } from '../git/pack/side-car.ts'

const alignment = 8

/** The bytes of the file. */
export function formatIndexFile({ index, sideCar }: Pick<ReceivedPack, 'index' | 'sideCar'>): Buffer {
  return Buffer.concat([index, Buffer.alloc(sideCarAt(index.length) - index.length), sideCar])
}

/** The two parts, as views. `indexBytes` is what the catalogue says; the side-car is undefined where there is none. */
export function splitIndexFile(bytes: Buffer, indexBytes: number): { index: Buffer; sideCar: Buffer | undefined } {
  const at = sideCarAt(indexBytes)
  return { index: bytes.subarray(0, indexBytes), sideCar: at < bytes.length ? bytes.subarray(at) : undefined }
}

export interface OpenedIndex {
  index: PackIndex
  /** Undefined as well where it is damaged: everything in it can be had from the pack, only slower. */
  sideCar: SideCar | undefined
}

/** Opens both. Throws PackInvalid for a damaged index. `isChecked` says that they were checked before. */
export function openIndexFile(bytes: Buffer, indexBytes: number, { isChecked = false } = {}): OpenedIndex {
  const parts = splitIndexFile(bytes, indexBytes)
  const index = new PackIndex(parts.index, { isChecked })
  if (parts.sideCar === undefined) return { index, sideCar: undefined }
  try {
    return { index, sideCar: new SideCar(parts.sideCar, index, { isChecked }) }
  } catch (error) {
    if (isHoldfastError(error, 'PackInvalid')) return { index, sideCar: undefined }
    throw error
  }
}

function sideCarAt(indexBytes: number): number {
  return Math.ceil(indexBytes / alignment) * alignment
}
