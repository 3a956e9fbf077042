/** Random fetch requests, and the rule to which the answers are held (random-fetches.test.ts tells it). */
import type { ObjectId } from '../../src/git/object-id.ts'
import { parseFilterSpec } from '../../src/git/protocol/filter-spec.ts'
import { locateId, type Ordinal } from '../../src/git/repository.ts'
import { noFilter, type ObjectFilter } from '../../src/git/walk/object-filter.ts'
import { SparsePatterns } from '../../src/git/walk/sparse-patterns.ts'
import { type Answer, askGit, askOurs, type Exchange } from './fetch-exchange.ts'
import type { FetchScenery } from './fetch-scenery.ts'
import { closure, filtered } from './object-model.ts'

export interface FetchCase {
  exchange: Exchange
  wants: Ordinal[]
  /** Those that exist. */
  haves: Ordinal[]
  clientShallow: Ordinal[]
  filter: ObjectFilter
  includeTag: boolean
  isCombined: boolean
}

export function randomCase(scenery: FetchScenery, random: () => number): FetchCase {
  const { objects, refs, commits, tags, contents } = scenery
  const allRefs = [...refs.refs]
  const below = (count: number) => Math.floor(random() * count)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]
  const chance = (share: number) => random() < share
  const some = <T>(max: number, make: () => T): T[] => Array.from({ length: below(max + 1) }, make)
  const version = chance(0.2) ? 0 : 2
  const idOf = (ordinal: Ordinal) => objects.idOf(ordinal)

  const wantOne = () => {
    const kind = random()
    if (kind < 0.4) return locateId(objects, pick(allRefs).id)
    if (kind < 0.85) return pick(commits)
    return kind < 0.9 ? pick(tags) : pick(contents)
  }
  const wants = [wantOne(), ...some(2, wantOne)]
  const wantedRefs = version === 2 && chance(0.1) ? [pick(allRefs)] : []
  const client = chance(0.35) ? undefined : randomClient(scenery, { below, pick, chance })
  const haves =
    client === undefined ? [] : some(4, () => (chance(0.93) ? pick(client.commits) : pick([...tags, ...contents])))
  const unknown = some(2, () => 'f'.repeat(39) + below(10))
  const clientShallow = client?.shallow ?? []
  const deepening = chance(0.45) ? randomDeepening(scenery, { below, pick, chance }, clientShallow.length > 0) : []
  const spec = chance(0.45) ? randomSpec(scenery, { below, pick }) : undefined
  const flags = ['thin-pack', 'ofs-delta', 'include-tag'].filter(() => chance(0.35))
  const isRelative = deepening.includes('deepen-relative')
  const lines = [...clientShallow.map((commit) => `shallow ${idOf(commit)}`)]
  const haveLines = [...haves.map(idOf), ...(client === undefined ? [] : unknown)].map((id) => `have ${id}`)
  const isDone = chance(0.75)
  let exchange: Exchange
  if (version === 0) {
    const words = [
      'side-band-64k',
      'multi_ack_detailed',
      'no-done',
      ...flags,
      ...(isRelative ? ['deepen-relative'] : []),
    ]
    const [first, ...others] = wants.map((want) => `want ${idOf(want)}`)
    const filterLine = spec === undefined ? [] : [`filter ${spec}`]
    const capabilities = [...words, ...(spec === undefined ? [] : ['filter'])].join(' ')
    const depth = deepening.filter((line) => line !== 'deepen-relative')
    exchange = {
      version,
      lines: [`${first} ${capabilities}`, ...others, ...lines, ...depth, ...filterLine],
      haves: [...haveLines, 'done'],
    }
  } else {
    lines.push(...wants.map((want) => `want ${idOf(want)}`), ...wantedRefs.map(({ name }) => `want-ref ${name}`))
    lines.push(...haveLines, ...deepening, ...flags, ...(spec === undefined ? [] : [`filter ${spec}`]))
    exchange = { version, lines: [...lines, ...(isDone ? ['done'] : [])] }
  }
  return {
    exchange,
    wants: [...wants, ...wantedRefs.map(({ id }) => locateId(objects, id))],
    haves,
    clientShallow,
    filter: spec === undefined ? noFilter : readFilter(scenery, spec),
    includeTag: flags.includes('include-tag'),
    isCombined: spec?.startsWith('combine') ?? false,
  }
}

interface Dice {
  below(count: number): number
  pick<T>(list: readonly T[]): T
  chance(share: number): boolean
}

/** What some client has: everything that a few commits lead to, down to where its history is cut off. */
function randomClient({ model, commits }: FetchScenery, { below, pick, chance }: Omit<Dice, never>) {
  const tips = Array.from({ length: 1 + below(2) }, () => pick(commits))
  const shallow = new Set<Ordinal>()
  if (chance(0.3)) {
    const depth = 1 + below(5)
    let level = new Set(tips)
    const inside = new Set<Ordinal>()
    for (let step = 1; step < depth; step++) {
      for (const commit of level) inside.add(commit)
      level = new Set([...level].flatMap((commit) => model[commit].parents).filter((parent) => !inside.has(parent)))
    }
    for (const commit of level) if (!inside.has(commit)) shallow.add(commit)
  }
  const held = closure(model, tips, shallow)
  return { commits: commits.filter((commit) => held.has(commit)), shallow: [...shallow] }
}

function randomDeepening(
  { model, commits, refs, isSkewed }: FetchScenery,
  { below, pick, chance }: Dice,
  isShallow: boolean,
): string[] {
  const kind = below(isSkewed ? 7 : 10)
  if (kind < 4) return [`deepen ${1 + below(6)}`, ...(isShallow && !isSkewed && chance(0.5) ? ['deepen-relative'] : [])]
  if (kind === 4) return ['deepen 2147483647']
  const since = `deepen-since ${model[pick(commits)].dateSeconds + below(3) - 1}`
  const not = Array.from({ length: 1 + below(2) }, () => `deepen-not ${pick([...refs.refs]).name}`)
  if (kind < 7) return [since]
  return kind < 9 ? not : [since, ...not]
}

function randomSpec({ sparseBlobs }: FetchScenery, { below, pick }: Pick<Dice, 'below' | 'pick'>): string {
  const sparse = () => `sparse:oid=${pick(sparseBlobs).id}`
  const simple = () =>
    [
      () => 'blob:none',
      () => `blob:limit=${pick(['0', '1', '10', '20', '100', '1k'])}`,
      () => `tree:${below(5)}`,
      () => `object:type=${pick(['commit', 'tree', 'blob', 'tag'])}`,
      sparse,
    ][below(5)]()
  return below(4) === 0 ? `combine:${simple()}+${simple()}` : simple()
}

function readFilter({ sparseBlobs }: FetchScenery, spec: string): ObjectFilter {
  const { sparseNames, ...filter } = parseFilterSpec(spec, { gitFilterPartsMax: 8, gitFilterDepthMax: 8 })
  const textOf = (id: string) => sparseBlobs.find((blob) => blob.id === id)?.text ?? ''
  return { ...filter, sparse: sparseNames.map((id) => new SparsePatterns(textOf(id))) }
}

export interface Outcome {
  /** What breaks the rule. */
  faults: string[]
  ours: number
  gits: number
  needed: number
  /** Objects that we send and git does not. */
  beyondGit: number
}

/** Puts the case to both servers. */
export async function compareCase(scenery: FetchScenery, fetchCase: FetchCase): Promise<Outcome> {
  const { path, host, objects } = scenery
  const { exchange } = fetchCase
  const [ours, gits] = await Promise.all([askOurs(host, exchange, objects), askGit(path, exchange, objects)])
  const nothing = { ours: 0, gits: 0, needed: 0, beyondGit: 0 }
  const readyLines = [...ours.acks].filter((line) => /ready$/.test(line) && !gits.acks.has(line))
  if ((ours.refusal === undefined) !== (gits.refusal === undefined)) {
    // Who is ready first finds out first that nothing is left to send.
    const isExpected = gits.refusal === undefined && readyLines.length > 0 && isReadyRight(scenery, fetchCase, ours)
    return { ...nothing, faults: isExpected ? [] : [`refusals: ${ours.refusal} against git's ${gits.refusal}`] }
  }
  if (ours.refusal !== undefined) return { ...nothing, faults: [] }
  const isReadySooner = readyLines.length > 0
  const faults: string[] = []
  if (isReadySooner && !isReadyRight(scenery, fetchCase, ours)) faults.push('ready, though some want leads to no have')
  for (const line of readyLines) ours.acks.delete(line)
  const told = ['acks', 'wantedRefs', 'boundary'] as const
  const isGitDone = gits.ids !== undefined
  for (const kind of isReadySooner && !isGitDone ? told.slice(0, 1) : told) {
    const [a, b] = [ours, gits].map((answer) => [...answer[kind]].sort().join('\n'))
    if (a !== b) faults.push(`${kind}:\n${a}\nagainst git's\n${b}`)
  }
  if (!isReadySooner && (ours.ids !== undefined) !== isGitDone)
    faults.push(`only ${isGitDone ? 'git' : 'we'} sent a pack`)
  if (ours.ids === undefined || faults.length > 0) return { ...nothing, faults }
  return comparePacks(scenery, fetchCase, { ours, gits: isGitDone ? gits : ours, faults })
}

/** True where every wanted commit leads to a have, or to a parent of one. */
function isReadyRight(
  { objects, model }: FetchScenery,
  { exchange, wants, haves, clientShallow }: FetchCase,
  ours: Answer,
) {
  const peel = (ordinal: Ordinal): Ordinal => (model[ordinal].type === 'tag' ? peel(model[ordinal].target) : ordinal)
  const isCut = exchange.version === 0
  const shallow = [...ours.boundary].filter((line) => line.startsWith('shallow ')).map((line) => line.slice(8))
  const cut = new Set(isCut ? [...clientShallow, ...shallow.map((id) => locateId(objects, id as ObjectId))] : [])
  const common = new Set(haves.map(peel).flatMap((commit) => [commit, ...model[commit].parents]))
  const commits = wants.map(peel).filter((want) => model[want].type === 'commit')
  return commits.every((want) => [...closure(model, [want], cut)].some((each) => common.has(each)))
}

function comparePacks(
  { objects, model, refs }: FetchScenery,
  { wants, haves, clientShallow, filter, includeTag, isCombined }: FetchCase,
  { ours, gits, faults }: { ours: Answer; gits: Answer; faults: string[] },
): Outcome {
  const ordinals = ({ ids }: Answer) => new Set([...(ids ?? [])].map((id) => locateId(objects, id)))
  const [sent, gitSent] = [ordinals(ours), ordinals(gits)]
  const lines = [...ours.boundary].map((line) => line.split(' '))
  const commitsOf = (keyword: string) =>
    lines.filter(([word]) => word === keyword).map(([, id]) => locateId(objects, id as ObjectId))
  const unshallow = commitsOf('unshallow')
  const cut = new Set([...clientShallow, ...commitsOf('shallow')])
  const held = closure(model, [...haves, ...unshallow], cut)
  const deepened = unshallow.flatMap((commit) => model[commit].parents)
  const needed = filtered(model, [...wants, ...deepened], { held, cut, filter })
  const asked = closure(model, [...wants, ...deepened], cut)
  const tags = includeTag
    ? tagsOf(
        refs.refs.map(({ id }) => locateId(objects, id)),
        model,
        sent,
      )
    : new Set<Ordinal>()
  const difference = (a: Set<Ordinal>, b: (ordinal: Ordinal) => boolean) => [...a].filter((ordinal) => !b(ordinal))
  const tell = (what: string, list: Ordinal[]) => {
    if (list.length > 0)
      faults.push(`${what}: ${list.slice(0, 8).map((each) => `${objects.idOf(each)} (${model[each].type})`)}`)
  }
  tell(
    'needed and not sent',
    difference(needed, (each) => sent.has(each)),
  )
  tell(
    'tags not sent',
    difference(tags, (each) => sent.has(each) || held.has(each)),
  )
  const mayBeSent = (each: Ordinal) => needed.has(each) || tags.has(each) || (held.has(each) && asked.has(each))
  tell('sent and not needed', difference(sent, mayBeSent))
  if (haves.length + unshallow.length === 0) {
    const isLoose = isCombined || filter.types.size < 4 || wants.length > 1
    if (!isLoose)
      tell(
        'not sent by git',
        difference(needed, (each) => gitSent.has(each)),
      )
    tell('sent by git alone', difference(gitSent, mayBeSent))
  }
  const beyondGit = difference(sent, (each) => gitSent.has(each)).length
  return { faults, ours: sent.size, gits: gitSent.size, needed: needed.size, beyondGit }
}

/** The annotated tags, with all that they tag on the way, of what is sent. */
function tagsOf(tips: Ordinal[], model: FetchScenery['model'], sent: ReadonlySet<Ordinal>): Set<Ordinal> {
  const found = new Set<Ordinal>()
  for (const tip of tips) {
    const chain: Ordinal[] = []
    let target = tip
    for (; model[target].type === 'tag'; target = model[target].target) chain.push(target)
    if (sent.has(target)) for (const tag of chain) found.add(tag)
  }
  return found
}
