/** What a side-car's references stand for within a set of packs: looked up once each, when first asked for. */
import { HoldfastError } from '../../errors.ts'
import { idBytes, objectIdAt } from '../object-id.ts'
import type { Ordinal } from '../repository.ts'
import type { PackIndex } from './pack-index.ts'
import type { SideCar } from './side-car.ts'

export interface ReferenceOptions {
  /** The pack has number 0: its positions are the ordinals. */
  isFirst: boolean
  /** The ordinal of an id in the set; -1 where it is absent. */
  locate(ids: Uint8Array, at: number): Ordinal
}

export class PackReferences {
  readonly #index: PackIndex
  readonly #sideCar: SideCar | undefined
  readonly #options: ReferenceOptions
  readonly #objectCount: number
  /** Ordinal + 1 by reference; 0 where it has not been looked up, or is absent. Without the pack's own where those are trivial. */
  #ordinals: Uint32Array | undefined

  constructor(index: PackIndex, sideCar: SideCar | undefined, options: ReferenceOptions) {
    this.#index = index
    this.#sideCar = sideCar
    this.#options = options
    this.#objectCount = index.objectCount
  }

  /** The ordinal; -1 where the object is absent. */
  find(reference: number): Ordinal {
    const isOwn = reference < this.#objectCount
    if (isOwn && this.#options.isFirst) return reference
    this.#ordinals ??= this.#newTable()
    const at = this.#options.isFirst ? reference - this.#objectCount : reference
    const found = this.#ordinals[at] - 1
    if (found >= 0) return found
    const { ids, idAt } = this.#idOf(reference)
    const ordinal = this.#options.locate(ids, idAt)
    this.#ordinals[at] = ordinal + 1
    return ordinal
  }

  /** The ordinal. Throws ObjectMissing where the object is absent. */
  present(reference: number): Ordinal {
    const ordinal = this.find(reference)
    if (ordinal >= 0) return ordinal
    const { ids, idAt } = this.#idOf(reference)
    throw new HoldfastError('ObjectMissing', { message: `Object ${objectIdAt(ids, idAt)} is missing.` })
  }

  #newTable(): Uint32Array {
    const outsideCount = (this.#sideCar?.tables.outsideIds.length ?? 0) / idBytes
    return new Uint32Array((this.#options.isFirst ? 0 : this.#objectCount) + outsideCount)
  }

  #idOf(reference: number): { ids: Uint8Array; idAt: number } {
    if (reference < this.#objectCount) return { ids: this.#index.ids, idAt: reference * idBytes }
    const ids = this.#sideCar?.tables.outsideIds ?? new Uint8Array()
    return { ids, idAt: (reference - this.#objectCount) * idBytes }
  }
}
