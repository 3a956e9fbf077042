/** A clone pack between its catalogue row and the engine's port. */
import assert from 'node:assert/strict'
import type { PackRow, SectionEnds } from '../database/packs.ts'
import type { ClonePack, PackSections } from '../git/repository.ts'
import type { OpenedPack } from './pack-files.ts'

const checksumBytes = 20

/** The opened pack of a row of the tier `clone`. Readable as long as the pack is open. */
export function clonePackOf(row: PackRow, { file, bytes }: Pick<OpenedPack, 'file' | 'bytes'>): ClonePack {
  const sections = sectionsOfRow(row)
  assert(sections !== undefined && row.tipIds !== null, 'a clone pack has sections and tips')
  assert(bytes !== undefined, 'a clone pack lies in a file')
  return {
    id: row.id,
    tipIds: row.tipIds,
    sections,
    checksum: row.checksum,
    sizeBytes: row.packBytes,
    offsetOf: (ordinal) => (ordinal < row.objectCount ? file.index.offsetAt(ordinal) : -1),
    read: (views, position, signal) => bytes.readViews(views, position, signal),
  }
}

/** The sections as the catalogue keeps them. */
export function sectionsToRow(sections: PackSections | undefined): SectionEnds {
  if (sections === undefined) return { sectionCounts: null, sectionEnds: null, sectionChecksums: null }
  const { history, trees, blobs } = sections
  return {
    sectionCounts: [history.objectCount, trees.objectCount, blobs.objectCount],
    sectionEnds: [history.end, trees.end, blobs.end],
    sectionChecksums: history.checksum && trees.checksum ? Buffer.concat([history.checksum, trees.checksum]) : null,
  }
}

function sectionsOfRow({ sectionCounts, sectionEnds, sectionChecksums }: SectionEnds): PackSections | undefined {
  if (sectionCounts === null || sectionEnds === null) return undefined
  const checksumAt = (at: number) => sectionChecksums?.subarray(at * checksumBytes, (at + 1) * checksumBytes)
  const [history, trees] = [0, 1].map((at) => ({
    objectCount: sectionCounts[at],
    end: sectionEnds[at],
    checksum: checksumAt(at),
  }))
  const blobs = { objectCount: sectionCounts[2], end: sectionEnds[2] }
  return { history, trees, blobs }
}
