/** Malformed objects, each as git's own `index-pack --fsck-objects` judges and words it. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { isHoldfastError } from '../../../src/errors.ts'
import { findFault } from '../../../src/git/fsck/check-objects.ts'
import { completeFindings } from '../../../src/git/fsck/complete-findings.ts'
import { type FsckSettings, hostedSettings, strictSettings } from '../../../src/git/fsck/settings.ts'
import { formatFreshPack } from '../../../src/git/pack/fresh-pack.ts'
import { PackFile } from '../../../src/git/pack/pack-file.ts'
import { PackIndex } from '../../../src/git/pack/pack-index.ts'
import { PackSet } from '../../../src/git/pack/pack-set.ts'
import { receivePackFile } from '../../../src/git/pack/receive-pack-file.ts'
import { defaultLimits } from '../../../src/limits.ts'
import {
  author,
  laterWrongUrls,
  modulesObjects,
  soundModules,
  soundObjects,
  tree,
  unreadableTrees,
  wrongModules,
  wrongObjects,
} from '../../support/fsck-cases.ts'
import { gitEnvironment, temporaryFolder } from '../../support/git.ts'
import { type MadeObject, made, openObjects } from '../../support/objects.ts'
import { memorySpool } from '../../support/raw-pack.ts'

const held = { objectHeldMaxBytes: 2 ** 24 }

/** `error|warning <object id>: <message id>: <words>`, one a line; of errors the first. */
async function judge(objects: readonly MadeObject[], settings: FsckSettings): Promise<string[]> {
  const spool = memorySpool()
  const existing = new PackSet([], held)
  const input = (async function* () {
    yield formatFreshPack(objects)
  })()
  try {
    const received = await receivePackFile(input, { spool, existing, limits: defaultLimits, fsck: settings })
    const set = new PackSet([new PackFile(new PackIndex(received.index), spool.file, received.isThin)], held)
    const findings = await completeFindings(set, received.findings, { settings, heldMaxBytes: 2 ** 24 })
    return findings.warnings.map((warning) => warning.replace(/^\w+/, 'warning'))
  } catch (error) {
    if (!isHoldfastError(error, 'ObjectInvalid')) throw error
    return [error.message.replace(/^\w+ (?=[0-9a-f]{40}: )/, 'error ')]
  }
}

const folder = join(temporaryFolder(t, 'fsck'), 'git')
const env = gitEnvironment()
spawnSync('git', ['init', '-q', '--bare', folder], { env })

/** The same of git; of errors the first, with what it warned of before. */
function judgeWithGit(objects: readonly MadeObject[]): string[] {
  const { stderr, status } = spawnSync('git', ['index-pack', '--fsck-objects', '--stdin'], {
    cwd: folder,
    env,
    input: formatFreshPack(objects),
  })
  const found = [...String(stderr).matchAll(/^(error|warning): object ([0-9a-f]{40}: .*)$/gm)]
  const lines = found.map(([, kind, text]) => `${kind} ${text}`)
  if (status === 0) return lines
  return lines.filter((line) => line.startsWith('error')).slice(0, 1)
}

t.test('group 37: what git refuses and what it warns of, in its words', async (t) => {
  for (const [name, type, data] of wrongObjects) {
    const objects = [made(type, data)]
    const ours = await judge(objects, strictSettings)
    const title = `${name} ${JSON.stringify(data.toString('latin1')).slice(0, 80)}`
    t.match(ours[0], new RegExp(`^(error|warning) [0-9a-f]{40}: ${name}: `), title)
    const gits = judgeWithGit(objects)
    // Where git cannot even parse the object it has no name for what is wrong.
    if (gits.length > 0) t.same(ours, gits, `git: ${title}`)
  }
  for (const [type, data] of soundObjects) {
    const objects = [made(type, data)]
    t.same(await judge(objects, strictSettings), [], data.toString('latin1'))
    t.same(judgeWithGit(objects), [], data.toString('latin1'))
  }
})

t.test('bytes that are no tree', async (t) => {
  for (const data of unreadableTrees) {
    t.match(await judge([made('tree', data)], strictSettings), [/: badTree: cannot be parsed as a tree$/])
  }
})

t.test('group 37: .gitmodules as git reads them', async (t) => {
  for (const [name, content] of wrongModules) {
    const objects = modulesObjects(content)
    const ours = await judge(objects, strictSettings)
    t.match(ours[0], new RegExp(`^(error|warning) ${objects[1].id}: ${name}: `), content)
    t.same(ours, judgeWithGit(objects), `git: ${content}`)
  }
  for (const content of laterWrongUrls) {
    t.match(await judge(modulesObjects(content), strictSettings), [/: gitmodulesUrl: /], content)
  }
  for (const content of soundModules) {
    const objects = modulesObjects(content)
    t.same(await judge(objects, strictSettings), [], content)
    t.same(judgeWithGit(objects), [], content)
  }
})

t.test('.gitmodules and .gitattributes that are not there, no file, too long', async (t) => {
  const folderOfTheName = made('tree', tree(['100644', 'x', made('blob', 'x')]))
  const attributes = (content: string) => {
    const file = made('blob', content)
    return [file, made('tree', tree(['100644', '.gitattributes', file]))]
  }
  const cases: [string, MadeObject[]][] = [
    ['gitmodulesMissing', [made('tree', tree(['100644', '.gitmodules']))]],
    ['gitattributesMissing', [made('tree', tree(['100644', '.gitattributes']))]],
    ['gitmodulesBlob', [folderOfTheName, made('tree', tree(['40000', '.gitmodules', folderOfTheName]))]],
    ['gitattributesBlob', [folderOfTheName, made('tree', tree(['40000', '.gitattributes', folderOfTheName]))]],
    ['gitattributesLineLength', attributes(`a\n${'x'.repeat(2048)}\nb`)],
    ['', attributes(`a\n${'x'.repeat(2047)}\nb`)],
    ['', attributes(`a\0\n${'x'.repeat(2048)}\n`)],
  ]
  for (const [name, objects] of cases) {
    const ours = await judge(objects, strictSettings)
    if (name === '') t.same(ours, [])
    else t.match(ours, [new RegExp(`^error [0-9a-f]{40}: ${name}: `)], name)
    // Which .gitmodules are missing git's index-pack tells its caller in another way.
    if (name !== 'gitmodulesMissing') t.same(ours, judgeWithGit(objects), `git: ${name}`)
  }
  const large = [made('blob', 'x'.repeat(100)), ...modulesObjects('# '.repeat(100))]
  const { objects } = await openObjects(large)
  const named = { modules: Buffer.from(large[2].id, 'hex'), attributes: Buffer.from(large[0].id, 'hex') }
  const ignoring = { ...strictSettings, severities: { ...strictSettings.severities, gitmodulesLarge: 'warn' as const } }
  const findings = { warnings: [], warningCount: 0, named }
  const all = await completeFindings(objects, findings, { settings: ignoring, heldMaxBytes: 150 })
  t.same(all.warnings, [`blob ${large[2].id}: gitmodulesLarge: .gitmodules too large to parse`])
  await t.rejects(completeFindings(objects, findings, { settings: strictSettings, heldMaxBytes: 99 }), {
    code: 'ObjectInvalid',
  })
})

t.test('a .gitmodules is quoted in part, and parsed up to a size', async (t) => {
  for (const content of [
    `[submodule "${'../'.repeat(5_000)}"]\npath = x`,
    `[submodule "a"]\nurl = -${'u'.repeat(5_000)}`,
  ]) {
    const [finding] = await judge(modulesObjects(content), strictSettings)
    t.match(finding, /: gitmodules(Name|Url): disallowed/)
    t.ok(finding.length < 400, `${finding.length} characters`)
  }
  const padded = (sizeBytes: number) => `[submodule "a"]\nurl = -u\n`.padEnd(sizeBytes, '\n')
  t.match(await judge(modulesObjects(padded(2 ** 20)), strictSettings), [/: gitmodulesUrl: /])
  t.match(await judge(modulesObjects(padded(2 ** 20 + 1)), strictSettings), [/: gitmodulesLarge: /])
})

t.test('names longer than may be, and signatures in tags, of which git 2.39 says nothing', async (t) => {
  const settings = { ...strictSettings, nameMaxBytes: 10 }
  t.same(await judge([made('tree', tree(['100644', 'x'.repeat(10)]))], settings), [])
  t.match(await judge([made('tree', tree(['100644', 'x'.repeat(11)]))], settings), [/largePathname/])
  const extra = `object ${'b'.repeat(40)}\ntype commit\ntag v1\ntagger A <a@b> 1 +0000\nextra x\n\nm\n`
  t.same(await judge([made('tag', extra)], strictSettings), [])
  const severities = { ...strictSettings.severities, extraHeaderEntry: 'error' as const }
  t.match(await judge([made('tag', extra)], { ...strictSettings, severities }), [/extraHeaderEntry/])
  const signed = extra.replace('extra x\n', 'gpgsig-sha256 x\n y\n')
  t.same(await judge([made('tag', signed)], { ...strictSettings, severities }), [])
})

t.test('a hosted repository takes the oddities of real histories with a word', async (t) => {
  for (const text of ['A <a@b> 1 +051800', 'A <a@b>1 +0000', 'A <a@b> 01 +0000', 'A <a@b> 1 0000']) {
    const data = author(text)
    t.match(await judge([made('commit', data)], hostedSettings), [/^warning /], text)
    t.equal(findFault('commit', data, hostedSettings), undefined)
    t.match(findFault('commit', data, strictSettings), /^(badTimezone|missingSpaceBeforeDate|zeroPaddedDate): /)
  }
  t.match(await judge([made('tree', tree(['040000', 'a']))], hostedSettings), [/^warning .*zeroPaddedFilemode/])
  t.match(await judge([made('tree', tree(['40000', '.git']))], hostedSettings), [/^error .*hasDotgit/])
})

t.test('more warnings than a person reads are counted', async (t) => {
  const objects = Array.from({ length: 25 }, (_, index) => made('tree', tree(['100664', `a${index}`])))
  t.equal((await judge(objects, strictSettings)).length, 20)
})
