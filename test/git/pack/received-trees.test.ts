/** Trees made by deltas, sound and not, must be judged as if each were looked at whole. */
import t, { type Test } from 'tap'
import { ObjectChecker } from '../../../src/git/fsck/check-objects.ts'
import { hostedSettings } from '../../../src/git/fsck/settings.ts'
import type { ObjectId } from '../../../src/git/object-id.ts'
import { ReceivedTrees } from '../../../src/git/pack/received-trees.ts'
import { deltaOf, type Random, randomSource, randomTree, revise } from '../../support/random-trees.ts'

const idOf = () => 'f'.repeat(40) as ObjectId

function judgeTrees() {
  const checker = new ObjectChecker(hostedSettings)
  const referred = new Set<string>()
  const trees = new ReceivedTrees({
    checker,
    refer: (bytes, at, type) => referred.add(`${type} ${Buffer.from(bytes).toString('hex', at, at + 20)}`),
  })
  return { trees, checker, referred }
}

/** Takes the base, then the tree; what became of the tree, of what it names, and of what was to be told. */
function judge(base: Buffer, result: Buffer, delta?: Buffer) {
  const { trees, checker, referred } = judgeTrees()
  const baseStarts = trees.accept(base, idOf)?.slice()
  const told = checker.findings().warningCount
  let outcome: unknown
  try {
    outcome = trees.accept(result, idOf, delta && baseStarts && { delta, baseStarts })
  } catch (error) {
    outcome = String(error)
  }
  const { warnings, named } = checker.findings()
  return { outcome, names: [...referred].sort(), warnings: warnings.slice(told), named }
}

function compare(t: Test, seed: number, random: Random): string {
  const base = randomTree(random)
  const result = revise(base, random)
  const delta = deltaOf(base, result, random)
  const whole = judge(base, result)
  t.same(judge(base, result, delta), whole, `seed ${seed}`)
  if (typeof whole.outcome === 'string') return 'refused'
  return whole.outcome === undefined ? 'told' : 'sound'
}

t.test('a tree made by a delta is judged as if it had come whole', async (t) => {
  const counts: Record<string, number> = {}
  for (let seed = 1; seed <= 6_000; seed++) {
    const outcome = compare(t, seed, randomSource(seed))
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  t.ok(counts.refused > 300 && counts.told > 100 && counts.sound > 1_000, JSON.stringify(counts))
})

t.test('of a tree made by a delta only what is new is looked at', async (t) => {
  const random = randomSource(7)
  const entries = Array.from({ length: 1_000 }, (_, number) => entry('100644', `file${1_000 + number}`, random))
  const base = Buffer.concat(entries)
  entries[500] = entry('100644', 'file1500', random)
  const result = Buffer.concat(entries)
  const { trees, referred } = judgeTrees()
  const baseStarts = trees.accept(base, idOf)?.slice() as Uint32Array
  referred.clear()
  const starts = trees.accept(result, idOf, { delta: deltaOf(base, result, random), baseStarts })
  t.equal(starts?.length, 1_001)
  t.ok(referred.size < 10, `${referred.size} entries were referred to`)
})

function entry(mode: string, name: string, random: Random): Buffer {
  return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(Array.from({ length: 20 }, () => random(256)))])
}

t.test('a tree of which something is to be said vouches for none', async (t) => {
  const { trees, checker } = judgeTrees()
  const tree = entry('0100644', 'a', randomSource(1))
  t.equal(trees.accept(tree, idOf), undefined)
  t.equal(trees.startsOf(tree), undefined)
  t.equal(checker.findings().warningCount, 1, 'it is said once')
  const sound = entry('100644', 'a', randomSource(1))
  t.same(trees.startsOf(sound), Uint32Array.of(0, sound.length))
})
