/** Random trees whose names are often beginnings of each other, what people and attackers make of them, and deltas. */
import { varint } from './raw-pack.ts'

/** A number from 0 up to, without, `below`. */
export type Random = (below: number) => number

/** The same numbers for the same seed. */
export function randomSource(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}

interface Entry {
  mode: string
  name: string
  id: Buffer
}

const modes = ['100644', '100644', '40000', '40000', '100755', '120000', '160000']
const letters = ['a', 'b', '!', '.', '-', '0']

/** A tree in order. Its ids often look like entries, or like each other. */
export function randomTree(random: Random): Buffer {
  const byName = new Map<string, Entry>()
  for (let count = random(12); count >= 0; count--) {
    const entry = randomEntry(random)
    byName.set(entry.name, entry)
  }
  return format(sorted([...byName.values()]))
}

/** The tree after some changes, right ones and wrong ones. */
export function revise(tree: Buffer, random: Random): Buffer {
  const entries = parse(tree)
  for (let changes = random(4); changes >= 0; changes--) change(entries, random)
  const revised = format(random(4) === 0 ? entries : sorted(entries))
  if (random(12) > 0 || revised.length === 0) return revised
  // A byte that is changed or missing, anywhere.
  const at = random(revised.length)
  if (random(2) === 0) return Buffer.concat([revised.subarray(0, at), revised.subarray(at + 1)])
  revised[at] = random(256)
  return revised
}

function change(entries: Entry[], random: Random): void {
  const at = random(entries.length + 1)
  const made = randomEntry(random)
  const kind = random(8)
  if (kind < 3 || entries[at] === undefined) entries.splice(at, 0, made)
  else if (kind === 3) entries.splice(at, 1)
  else if (kind === 4) entries[at].id = random(4) === 0 ? Buffer.alloc(20) : made.id
  else if (kind === 5) entries[at].mode = random(6) === 0 ? ['0100644', '100600', '40755'][random(3)] : made.mode
  else if (kind === 6) entries[at].name = random(3) === 0 ? oddName(random) : made.name
  else entries.splice(at, 0, { ...entries[random(entries.length)], mode: made.mode })
}

function oddName(random: Random): string {
  return ['.git', '.', '..', 'a/b', '', '.gitmodules', '.gitattributes', '.GITMODULES', 'git~1'][random(9)]
}

function randomEntry(random: Random): Entry {
  const name = Array.from({ length: 1 + random(3) }, () => letters[random(letters.length)]).join('')
  return { mode: modes[random(modes.length)], name: /^\.+$/.test(name) ? 'a' : name, id: randomId(random) }
}

function randomId(random: Random): Buffer {
  const kind = random(12)
  if (kind < 4) return Buffer.from('100644 a\x00100644 b\x0000').subarray(0, 20)
  return Buffer.alloc(20, 1 + random(kind < 8 ? 3 : 255))
}

function sorted(entries: readonly Entry[]): Entry[] {
  const key = ({ mode, name }: Entry) => (mode.replace(/^0/, '').startsWith('40') ? `${name}/` : name)
  return entries.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}

function format(entries: readonly Entry[]): Buffer {
  return Buffer.concat(entries.flatMap(({ mode, name, id }) => [Buffer.from(`${mode} ${name}\0`, 'latin1'), id]))
}

function parse(tree: Buffer): Entry[] {
  const entries: Entry[] = []
  for (let at = 0; at < tree.length; ) {
    const nul = tree.indexOf(0, at)
    const [, mode, name] = /^(\d+) (.*)$/s.exec(tree.toString('latin1', at, nul)) as RegExpExecArray
    entries.push({ mode, name, id: tree.subarray(nul + 1, nul + 21) })
    at = nul + 21
  }
  return entries
}

/** A delta from `base` to `result`: copies wherever bytes happen to be the same, of lengths as they come. */
export function deltaOf(base: Buffer, result: Buffer, random: Random): Buffer {
  const parts = [varint(base.length), varint(result.length)]
  for (let at = 0; at < result.length; ) {
    const { from, length } = longestCopy(base, result, at)
    const taken = random(6) === 0 ? 1 + random(Math.max(1, length)) : length
    if (length > 0 && (length > 3 || random(3) === 0)) {
      const used = Math.min(taken, length)
      parts.push([0xb3, from & 255, from >> 8, used & 255, used >> 8])
      at += used
    } else {
      const inserted = Math.min(1 + random(4), result.length - at)
      parts.push([inserted, ...result.subarray(at, at + inserted)])
      at += inserted
    }
  }
  return Buffer.from(parts.flat())
}

function longestCopy(base: Buffer, result: Buffer, at: number): { from: number; length: number } {
  let best = { from: 0, length: 0 }
  for (let from = base.indexOf(result[at]); from >= 0; from = base.indexOf(result[at], from + 1)) {
    let length = 0
    while (length < 0xffff && at + length < result.length && base[from + length] === result[at + length]) length++
    if (length > best.length) best = { from, length }
  }
  return best
}
