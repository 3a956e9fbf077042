/** Nasty configuration, read by git and by us: the same entries, or both refuse. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { GitConfig, parseBoolean, parseInteger, readGitConfig } from '../../src/bare/config.ts'
import { parseConfigFile } from '../../src/git/config-file.ts'
import { git, seededRandom, temporaryFolder, tryGit } from '../support/git-client.ts'

/** What `git config --list -z` says of a file; undefined where it refuses it. */
async function listByGit(file: string): Promise<string[] | undefined> {
  const { status, stdout } = await tryGit('/', 'config', '--file', file, '--list', '-z')
  return status === 0 ? stdout.split('\0').slice(0, -1) : undefined
}

function listByUs(text: string): string[] | string {
  try {
    const entries = parseConfigFile(Buffer.from(text).toString('latin1'), 'x')
    return entries.map(({ key, value }) => asUtf8(value === undefined ? key : `${key}\n${value}`))
  } catch (error) {
    return (error as Error).message
  }
}

const asUtf8 = (text: string) => Buffer.from(text, 'latin1').toString()

const files = [
  '',
  '\n\n',
  '[a]b',
  '[a]b\n',
  '[a] b = c',
  '\ufeff[core]\n\tbare = true\n',
  '[Core]\n\tBaRe\n\tfile-Mode = FALSE ; comment\n# comment [x]\n; y\n',
  '[remote "Origin.x \\" \\\\ \\q"]\n url = x\n',
  '[section.Sub.Deep]\nkey=v\n',
  '[section "with space"] key = on the same line',
  '[a]\n b = one two\t three   ; four\n c = "one ; two" # three\n d = " padded "  \n',
  '[a]\n b = line \\\n   continued \\\n end\n c = x\\\\\n',
  '[a]\n b = tab\\tline\\nback\\bquote\\" slash\\\\\n',
  '[a]\n b = "unterminated\n',
  '[a]\n b = bad \\q escape\n',
  '[a]\n b = "two" "parts"x\n',
  '[a]\r\n b = c\r\n d\r\n',
  '[a]\n b = c\rd\n',
  '[a]\n b == c = d\n',
  '[a]\n b c\n',
  '[a]\n 1b = c\n',
  '[a b]\n c = d\n',
  '[a "b]\n c = d\n',
  '[a "b"\n c = d\n',
  '[a "b" ]\n c = d\n',
  '[a\n',
  '[]\n b = c\n',
  '[a_b]\n c = d\n',
  '[a-b.c]\n d-e = f\n',
  'b = c\n',
  '[a]\n b = \\\n',
  '[a]\n b = c \\',
  '[a]\n b = ünïcode ☃\n',
  '[a] b = 1 [c] d = 2\n',
  '[a][b]\n c = d\n',
  '[a]\n b=#x\n c=;y\n d= "#z"\n e = " "\n f =\n',
  '[a "é"]\n b = c\n',
]

t.test('files of every kind are read as git reads them', async (t) => {
  const folder = temporaryFolder(t)
  for (const [number, text] of files.entries()) {
    const file = join(folder, `config-${number}`)
    writeFileSync(file, text)
    const expected = await listByGit(file)
    const ours = listByUs(text)
    if (expected === undefined) t.match(ours, /^bad config line \d+ in file x$/, JSON.stringify(text))
    else t.same(ours, expected, JSON.stringify(text))
  }
})

t.test('a refusal names the line that git names', async (t) => {
  const file = join(temporaryFolder(t), 'config')
  for (const text of files.filter((candidate) => typeof listByUs(candidate) === 'string')) {
    writeFileSync(file, text)
    const { stderr } = await tryGit('/', 'config', '--file', file, '--list')
    t.equal(/line (\d+)/.exec(String(listByUs(text)))?.[1], /line (\d+)/.exec(stderr)?.[1], JSON.stringify(text))
  }
})

t.test('random files', async (t) => {
  const random = seededRandom(7)
  const pieces = [
    '[a]',
    '[b "C d"]',
    '\n',
    '\n',
    ' key',
    ' = ',
    'v',
    '"',
    '\\',
    '\\\n',
    ' ',
    ';',
    '#',
    '\t',
    '\\n',
    '\r\n',
  ]
  const file = join(temporaryFolder(t), 'config')
  for (let round = 0; round < 150; round++) {
    const count = 3 + Math.floor(random() * 14)
    const text = `[x]\n${Array.from({ length: count }, () => pieces[Math.floor(random() * pieces.length)]).join('')}`
    writeFileSync(file, text)
    const expected = await listByGit(file)
    const ours = listByUs(text)
    if (expected === undefined) t.type(ours, 'string', JSON.stringify(text))
    else t.same(ours, expected, JSON.stringify(text))
  }
})

t.test('booleans and numbers', async (t) => {
  const folder = temporaryFolder(t)
  await git(folder, 'init', '-q', 'r')
  const repo = join(folder, 'r')
  for (const value of [
    'true',
    'YES',
    'oN',
    'false',
    'no',
    'Off',
    '',
    '0',
    '1',
    '-1',
    '2k',
    'maybe',
    '1x',
    '00',
    '0x0',
  ]) {
    await git(repo, 'config', 'a.b', value)
    const { status, stdout } = await tryGit(repo, 'config', '--type=bool', 'a.b')
    t.equal(parseBoolean(value), status === 0 ? stdout.trim() === 'true' : undefined, JSON.stringify(value))
  }
  for (const value of [
    '0',
    '12',
    '-3',
    '+4',
    '1k',
    '2M',
    '3g',
    '0x10',
    '010',
    '09',
    ' 7',
    '7 k',
    'k',
    '',
    '1kk',
    '99g',
  ]) {
    writeFileSync(join(repo, '.git/config'), `[a]\n b = "${value}"\n`)
    const { status, stdout } = await tryGit(repo, 'config', '--type=int', 'a.b')
    t.equal(parseInteger(value), status === 0 ? Number(stdout) : undefined, JSON.stringify(value))
  }
})

t.test('the last value wins, a key alone is true, and what is wrong is said as git says it', async (t) => {
  const config = new GitConfig(parseConfigFile('[a]\nb\nb=no\nc=1\nc\nd=maybe\ne=5q\n', 'x'))
  t.equal(config.boolean('a.b'), false)
  t.equal(config.boolean('a.c'), true)
  t.equal(config.boolean('a.none'), undefined)
  t.same(config.all('a.b'), [undefined, 'no'])
  t.throws(() => config.text('a.c'), { message: "missing value for 'a.c'" })
  t.throws(() => config.boolean('a.d'), { message: "bad boolean config value 'maybe' for 'a.d'" })
  t.throws(() => config.integer('a.e'), { message: /bad numeric config value '5q' for 'a.e'/ })
})

t.test('paths are texts of their own kind, and a home that is not known is no path', async (t) => {
  const text = Buffer.from('[p]\na=~/hooks\nb=/srv/\u00e9t\u00e9\nc=~nobody/hooks\nd=%(prefix)/x\n').toString('latin1')
  const config = new GitConfig(parseConfigFile(`${text}e=/srv/\xff\n`, 'x'))
  t.equal(config.path('p.a', { HOME: '/h' }), '/h/hooks')
  t.equal(config.path('p.b'), '/srv/\u00e9t\u00e9')
  t.equal(config.path('p.none'), undefined)
  t.throws(() => config.path('p.c'), { message: "failed to expand user dir in: '~nobody/hooks'" })
  t.throws(() => config.path('p.d'), { code: 'InputInvalid' })
  t.throws(() => config.path('p.e'), { message: /UTF-8/ })
})

t.test('included files, the user\u2019s and the machine\u2019s', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'r.git')
  await git(folder, 'init', '-q', '--bare', 'r.git')
  mkdirSync(join(folder, 'home/.config/git'), { recursive: true })
  const home = join(folder, 'home')
  writeFileSync(join(home, '.config/git/config'), '[x]\n a = xdg\n b = xdg\n')
  writeFileSync(join(home, '.gitconfig'), `[x]\n b = home\n[includeIf "gitdir:${folder}/"]\n path = if\n`)
  writeFileSync(join(home, 'if'), '[x]\n when = here\n')
  writeFileSync(join(folder, 'system'), '[x]\n a = system\n s = system\n')
  const config = '[x]\n c = 1\n[include]\n path = extra\n path = ~/from-home\n path = missing\n[x]\n d = own\n'
  writeFileSync(join(path, 'config'), `[core]\n repositoryformatversion = 0\n bare = true\n${config}`)
  writeFileSync(join(path, 'extra'), '[x]\n c = 2\n d = extra\n[include]\n path = deeper\n')
  writeFileSync(join(path, 'deeper'), '[x]\n e = deep\n')
  writeFileSync(join(home, 'from-home'), '[x]\n f = home\n')
  const environment = { HOME: home, GIT_CONFIG_SYSTEM: join(folder, 'system'), PATH: process.env.PATH }
  const ours = readGitConfig(path, environment)
  for (const [key, value] of Object.entries({
    a: 'xdg',
    b: 'home',
    s: 'system',
    c: '2',
    d: 'own',
    e: 'deep',
    f: 'home',
  })) {
    t.equal(ours.text(`x.${key}`), value, key)
  }
  t.equal(ours.text('x.when'), 'here')
  t.equal(readGitConfig(path, { ...environment, HOME: undefined }).text('x.when'), undefined)
  writeFileSync(join(path, 'deeper'), '[include]\n path = deeper\n')
  t.throws(() => readGitConfig(path, environment), { message: /maximum include depth/ })
})
