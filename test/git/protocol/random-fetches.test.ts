/**
 * Random requests to random repositories: what we send against what `git upload-pack` sends for the same bytes.
 *
 * The rule. Both refuse, or neither does. Acknowledgments, shallow boundary and wanted refs are equal; but we may be `ready`
 * before git is, if every want does lead to a have (git looks by date, and not into tags). Of the objects, with
 * `needed` being what the wants lead to beyond what the haves lead to, as the filter and the boundary leave it:
 *  - ours contain everything needed, and nothing else but annotated tags of what is sent, where the client asked for them,
 *    and, where it has haves, objects that these lead to (neither side looks for all of those);
 *  - without haves both are exactly what is needed. Only where git's own filters are known to send less (a combination that
 *    first meets an object at a place that one part leaves out; a want that it reaches from another want as well) is it
 *    enough that git sends nothing that is not needed.
 * Where clocks run wrong no relative depth and no `deepen-not` is asked for: git looks for what refs lead to by date, and
 * there misses some of it.
 *
 * HOLDFAST_CASES and HOLDFAST_SEED say how many and which; a case that fails names the seed that repeats it alone.
 */
import { join } from 'node:path'
import t from 'tap'
import { type FetchScenery, openScenery } from '../../support/fetch-scenery.ts'
import { seededRandom, temporaryFolder } from '../../support/git-client.ts'
import { compareCase, randomCase } from '../../support/random-fetch.ts'

const caseCount = Number(process.env.HOLDFAST_CASES ?? 150)
const firstSeed = Number(process.env.HOLDFAST_SEED ?? 1)
const casesPerRepository = 50

t.setTimeout(0)

t.test(`${caseCount} fetches from seed ${firstSeed}`, async (t) => {
  t.setTimeout(0)
  const folder = temporaryFolder(t)
  const sums = { ours: 0, gits: 0, needed: 0, beyondGit: 0 }
  let scenery: FetchScenery | undefined
  let number = -1
  for (let seed = firstSeed; seed < firstSeed + caseCount; seed++) {
    const wanted = Math.floor(seed / casesPerRepository)
    if (wanted !== number) {
      scenery?.close()
      number = wanted
      scenery = await openScenery(join(folder, `${number}.git`), number)
    }
    const fetchCase = randomCase(scenery!, seededRandom(seed * 7_919))
    const { faults, ...counts } = await compareCase(scenery!, fetchCase)
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += counts[name]
    if (faults.length === 0) continue
    const { version, lines, haves } = fetchCase.exchange
    t.fail(`HOLDFAST_SEED=${seed} HOLDFAST_CASES=1`, { version, lines, haves, faults, source: undefined })
  }
  scenery?.close()
  t.comment(JSON.stringify(sums))
  t.pass(`${caseCount} cases`)
})
