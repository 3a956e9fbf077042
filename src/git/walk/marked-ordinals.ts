/** From marks by ordinal to a list. Marks are few where little is new, so zeros are passed over four at a time. */
const wordBytes = 4

/** The ordinals whose mark is not 0, ascending. */
export function markedOrdinals(marks: Uint8Array): Uint32Array {
  const ordinals = new Uint32Array(countMarked(marks))
  let count = 0
  eachMarked(marks, (ordinal) => {
    ordinals[count++] = ordinal
  })
  return ordinals
}

function countMarked(marks: Uint8Array): number {
  let count = 0
  eachMarked(marks, () => {
    count++
  })
  return count
}

function eachMarked(marks: Uint8Array, visit: (ordinal: number) => void): void {
  const words = new Uint32Array(marks.buffer, marks.byteOffset, Math.floor(marks.length / wordBytes))
  for (let word = 0; word < words.length; word++) {
    if (words[word] === 0) continue
    for (let ordinal = word * wordBytes; ordinal < (word + 1) * wordBytes; ordinal++) {
      if (marks[ordinal] !== 0) visit(ordinal)
    }
  }
  for (let ordinal = words.length * wordBytes; ordinal < marks.length; ordinal++) {
    if (marks[ordinal] !== 0) visit(ordinal)
  }
}
