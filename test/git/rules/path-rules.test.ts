import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { fairLoop } from '../../../src/git/fair-loop.ts'
import { readPathRules } from '../../../src/git/rules/path-rules.ts'
import { git, gitEnvironment, run, temporaryFolder } from '../../support/git.ts'
import { type MadeObject, made, makeTree, openObjects } from '../../support/objects.ts'

const environment = gitEnvironment()

type Files = Record<string, string>

/** The tree of `files`, and all objects of it. */
function treeOf(files: Files): { root: MadeObject; objects: MadeObject[] } {
  const objects: MadeObject[] = []
  const build = (before: string): MadeObject => {
    const entries: Record<string, MadeObject> = {}
    for (const [path, text] of Object.entries(files)) {
      if (!path.startsWith(before)) continue
      const [name, ...rest] = path.slice(before.length).split('/')
      entries[name] ??= rest.length === 0 ? made('blob', text) : build(`${before}${name}/`)
    }
    const tree = makeTree(entries)
    objects.push(...Object.values(entries), tree)
    return tree
  }
  return { root: build(''), objects }
}

async function rulesOf(files: Files, paths: readonly string[], given: { attributes?: string; ignore?: string } = {}) {
  const { root, objects } = treeOf(files)
  const opened = await openObjects(objects)
  const split = paths.map((path) => Buffer.from(path).toString('latin1').split('/'))
  return await readPathRules(opened.objects, root.id, split, {
    rootAttributes: given.attributes,
    rootIgnore: given.ignore,
    rulesMaxBytes: 100_000,
    pause: fairLoop(),
  })
}

/** What git says of the same files in a work tree. */
async function askGit(t: Test, files: Files, paths: readonly string[], args: readonly string[]): Promise<string[]> {
  const folder = temporaryFolder(t, 'rules')
  await git(folder, 'init', '-q')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const stdin = paths.map((path) => `${path}\0`).join('')
  const { stdout } = await run('git', [...args], { cwd: folder, env: environment, stdin })
  return stdout.split('\0')
}

async function compare(t: Test, files: Files, paths: readonly string[]) {
  const found = await rulesOf(files, paths)
  const checked = await askGit(t, files, paths, ['check-attr', '-z', '--stdin', 'filter'])
  const words = { true: 'set', false: 'unset', undefined: 'unspecified' } as Record<string, string>
  for (const [index, path] of paths.entries()) {
    const own = String(found.get(Buffer.from(path).toString('latin1'))?.filter)
    t.equal(words[own] ?? own, checked[3 * index + 2], `${path}: filter`)
  }
  const ignored = new Set(await askGit(t, files, paths, ['check-ignore', '-z', '--stdin', '--no-index']))
  for (const path of paths) {
    t.equal(found.get(Buffer.from(path).toString('latin1'))?.isIgnored, ignored.has(path), `${path}: ignored`)
  }
}

t.test('rules are read as git reads them', async (t) => {
  const files = {
    '.gitattributes': [
      '\ufeff# a comment',
      '*.bin filter=lfs diff=lfs merge=lfs -text',
      '  *.txt\ttext  filter',
      'saved_model/**/* filter=lfs',
      '*tfevents* filter=lfs',
      '"quoted \\"name\\303\\244.x" filter=q',
      '!negative.x filter=n',
      'folder/ filter=f',
      '/top.y filter=top',
      'deep/*.y filter=deep',
      '[attr]big filter=lfs -text',
      '[attr]huge big',
      '*.big big',
      '*.huge huge',
      '*.small huge -big',
      '*.twice filter=one filter=two',
      '*.off filter=lfs',
      'a.off -filter',
      'b.off !filter',
      `${'x'.repeat(2100)} filter=long`,
      '*.c big !big',
    ].join('\n'),
    'deep/.gitattributes': '*.bin -filter\n/x.txt filter=near\n[attr]big filter=never\n',
    'deep/er/.gitattributes': '*.bin !filter\r\n*.txt filter=crlf\r\n',
    '.gitignore': '*.log\n!keep.log\n/build/\nnode_modules/\ndoc/**/*.pdf\n\\#x\n# no\ntrailing   \nesc\\ \n',
    'deep/.gitignore': '!a.log\nsecret*\n',
    'deep/er/.gitignore': '*\n!.gitignore\n!x.bin\n',
  }
  const paths = [
    ...[
      'a.bin',
      'a.txt',
      'deep/a.bin',
      'deep/x.txt',
      'deep/er/a.bin',
      'deep/er/a.txt',
      'saved_model/a',
      'saved_model/v/a',
    ],
    ...[
      'x/saved_model/v/a',
      'x.tfevents.1',
      'quoted "nameä.x',
      'negative.x',
      'folder/x',
      'top.y',
      'x/top.y',
      'deep/a.y',
    ],
    ...['deep/er/a.y', 'a.big', 'a.huge', 'a.small', 'a.twice', 'a.off', 'b.off', 'c.off', 'x'.repeat(200), 'a.c'],
    ...[
      'a.log',
      'keep.log',
      'deep/a.log',
      'deep/b.log',
      'build/a',
      'x/build/a',
      'node_modules/x',
      'y/node_modules/x/z',
    ],
    ...[
      'doc/a.pdf',
      'doc/x/y/a.pdf',
      '#x',
      'trailing',
      'esc ',
      'deep/secret',
      'deep/er/x.bin',
      'deep/er/y.bin',
      'secret',
    ],
    ...['build', 'deep/er/.gitignore'],
  ]
  await compare(t, files, paths)
})

t.test('random rules are read as git reads them', async (t) => {
  const words = ['a', 'b', '*', '**', '?', '[ab]', '[!a]', 'a*', '*b', '\\a', 'ab']
  const pick = (list: readonly string[], random: () => number) => list[Math.floor(random() * list.length)]
  for (let seed = 1; seed <= 8; seed++) {
    let state = seed * 7919
    const random = () => {
      state = (state * 48271) % 0x7fffffff
      return state / 0x7fffffff
    }
    const pattern = () => {
      const parts = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(words, random))
      return `${random() < 0.2 ? '/' : ''}${parts.join('/')}${random() < 0.2 ? '/' : ''}`
    }
    const states = ['filter=lfs', '-filter', '!filter', 'filter', 'm', '-m', 'm filter=x']
    const attributes = () => Array.from({ length: 6 }, () => `${pattern()} ${pick(states, random)}\n`).join('')
    const ignore = () => Array.from({ length: 5 }, () => `${random() < 0.3 ? '!' : ''}${pattern()}\n`).join('')
    const files = {
      '.gitattributes': `[attr]m filter=lfs\n${attributes()}`,
      'a/.gitattributes': attributes(),
      'a/b/.gitattributes': attributes(),
      '.gitignore': ignore(),
      'a/.gitignore': ignore(),
    }
    const names = ['a', 'b', 'ab', 'aab', 'c']
    const paths = new Set<string>()
    for (let count = 0; count < 60; count++) {
      paths.add(Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(names, random)).join('/'))
    }
    await compare(t, files, [...paths])
  }
})

t.test('what is there, and rules that come with the question', async (t) => {
  const files = { '.gitattributes': '*.a filter=lfs\n', 'x.a': 'one', 'folder/y': 'two', '.gitignore': 'x.*\n' }
  const found = await rulesOf(files, ['x.a', 'folder/y', 'folder', 'absent/z'], { attributes: '', ignore: 'folder\n' })
  t.equal(found.get('x.a')?.entry?.id, made('blob', 'one').id)
  t.match(found.get('x.a'), { filter: undefined, isIgnored: false })
  t.match(found.get('folder/y'), { isIgnored: true, entry: { id: made('blob', 'two').id } })
  t.equal(found.get('folder')?.entry, undefined)
  t.match(found.get('absent/z'), { isIgnored: false, entry: undefined })
})
