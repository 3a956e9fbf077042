import { execFileSync } from 'node:child_process'
import t from 'tap'
import { findFault } from '../../src/git/fsck.ts'
import type { ObjectType } from '../../src/git/repository.ts'
import { gitEnvironment, temporaryFolder } from '../support/git.ts'

const id = 'a'.repeat(40)
const commitId = 'b'.repeat(40)
const who = 'A <a@example.org> 1700000000 +0100'

function tree(...entries: [mode: string, name: string, byte?: number][]): Buffer {
  return Buffer.concat(
    entries.flatMap(([mode, name, byte = 1]) => [Buffer.from(`${mode} ${name}\0`), Buffer.alloc(20, byte)]),
  )
}

function commit(changes: { tree?: string; parents?: string; author?: string; committer?: string; rest?: string } = {}) {
  const { author = `author ${who}\n`, committer = `committer ${who}\n`, rest = '\nmessage\n' } = changes
  return Buffer.from(`${changes.tree ?? `tree ${id}\n`}${changes.parents ?? ''}${author}${committer}${rest}`)
}

function tag(changes: { object?: string; type?: string; name?: string; tagger?: string } = {}): Buffer {
  const {
    object = `object ${commitId}\n`,
    type = 'type commit\n',
    name = 'tag v1\n',
    tagger = `tagger ${who}\n`,
  } = changes
  return Buffer.from(`${object}${type}${name}${tagger}\nmessage\n`)
}

const author = (text: string) => commit({ author: `author ${text}\n` })

/** What git fsck calls an error, by the message id that both must give. */
const errors: [string, ObjectType, Buffer][] = [
  ['missingTree', 'commit', commit({ tree: '' })],
  ['badTreeSha1', 'commit', commit({ tree: 'tree 123\n' })],
  ['badTreeSha1', 'commit', commit({ tree: `tree ${id}0\n` })],
  ['badParentSha1', 'commit', commit({ parents: 'parent 12\n' })],
  ['missingAuthor', 'commit', commit({ author: '' })],
  ['multipleAuthors', 'commit', commit({ author: `author ${who}\nauthor ${who}\n` })],
  ['missingCommitter', 'commit', commit({ committer: '' })],
  ['missingEmail', 'commit', author('A 1700000000 +0000')],
  ['badName', 'commit', author('A> <a@b> 1 +0000')],
  ['badEmail', 'commit', author('A <a@<b> 1 +0000')],
  ['missingNameBeforeEmail', 'commit', author('<a@b> 1 +0000')],
  ['missingSpaceBeforeEmail', 'commit', author('A<a@b> 1 +0000')],
  ['badDate', 'commit', author('A <a@b> x +0000')],
  ['badDateOverflow', 'commit', author('A <a@b> 99999999999999999999 +0000')],
  ['nulInHeader', 'commit', commit({ author: `author ${who}\0\n` })],
  ['unterminatedHeader', 'commit', Buffer.from(`tree ${id}`)],
  ['missingObject', 'tag', tag({ object: '' })],
  ['badObjectSha1', 'tag', tag({ object: 'object 12\n' })],
  ['missingTypeEntry', 'tag', tag({ type: '' })],
  ['badType', 'tag', tag({ type: 'type thing\n' })],
  ['missingTagEntry', 'tag', tag({ name: '' })],
  ['missingEmail', 'tag', tag({ tagger: 'tagger A\n' })],
  ['treeNotSorted', 'tree', tree(['100644', 'b'], ['100644', 'a'])],
  ['treeNotSorted', 'tree', tree(['40000', 'a'], ['100644', 'a.b'])],
  ['duplicateEntries', 'tree', tree(['100644', 'a'], ['100644', 'a'])],
  ['duplicateEntries', 'tree', tree(['100644', 'a'], ['40000', 'a'])],
  [
    'duplicateEntries',
    'tree',
    tree(['100644', 'a'], ['100644', 'a.b'], ['100644', 'a.b.c'], ['40000', 'a.b'], ['40000', 'a']),
  ],
  ['duplicateEntries', 'tree', tree(['100644', 'a'], ['100644', 'a-'], ['100644', 'a.b'], ['40000', 'a'])],
]

/** What git fsck warns of and we refuse. */
const dangers: [string, Buffer][] = [
  ['nullSha1', tree(['100644', 'a', 0])],
  ['hasDot', tree(['40000', '.'])],
  ['hasDotdot', tree(['40000', '..'])],
  ['fullPathname', tree(['100644', 'a/b'])],
  ...[
    '.git',
    '.GIT',
    '.Git',
    '.git ',
    '.git...',
    '.git. .',
    'git~1',
    'GIT~1',
    '.git:x',
    'a\\.git',
    '.g\u200cit',
    '\ufeff.git',
  ].map((name): [string, Buffer] => ['hasDotgit', tree(['40000', name])]),
]

/** What both accept, if git does with a word. */
const sound: [ObjectType, Buffer][] = [
  ['commit', commit()],
  [
    'commit',
    commit({ parents: `parent ${commitId}\nparent ${commitId}\n`, rest: 'encoding latin1\ngpgsig x\n y\n\n\0\n' }),
  ],
  ['commit', author(' <> 0 +0000')],
  ['tag', tag()],
  ['tag', tag({ tagger: '' })],
  ['tag', tag({ name: 'tag with space\n' })],
  ['tree', tree()],
  ['tree', tree(['040000', 'a'], ['100664', 'b'], ['100600', 'c'], ['160000', 'd'], ['120000', 'e'])],
  [
    'tree',
    tree(
      ['100644', '.gitignore'],
      ['100644', '.gitx'],
      ['100644', 'a-'],
      ['40000', 'a'],
      ['40000', 'git'],
      ['100644', 'git~2'],
    ),
  ],
  ['tree', tree(['100644', 'a'], ['100644', 'a.b'], ['40000', 'a.c'], ['100644', 'ab'])],
]

t.test('errors are found under the name that git gives them', async (t) => {
  const folder = temporaryFolder(t)
  const env = gitEnvironment()
  execFileSync('git', ['init', '-q', '--bare', folder], { env })
  const messagesOfGit = (type: string, data: Buffer) => {
    const write = ['hash-object', '-w', '--stdin', '--literally', '-t', type]
    const name = execFileSync('git', write, { cwd: folder, env, input: data }).toString().trim()
    try {
      execFileSync('git', ['fsck', '--no-dangling', name], { cwd: folder, env, stdio: 'pipe' })
      return ''
    } catch (error) {
      const lines = String((error as { stderr: Buffer }).stderr).split('\n')
      return lines.filter((line) => line.includes(name)).join('\n')
    }
  }
  for (const [name, type, data] of errors) {
    t.match(findFault(type, data), new RegExp(`^${name}: `), name)
    t.match(
      messagesOfGit(type, data),
      new RegExp(`error in ${type} [0-9a-f]{40}: ${name}|could not be parsed`),
      `git says ${name}`,
    )
  }
  for (const [type, data] of sound) {
    t.equal(findFault(type, data), undefined, data.toString('latin1'))
    t.notMatch(messagesOfGit(type, data), /error in \w+ \w+: \w+:|could not be parsed/)
  }
})

t.test('what is dangerous on a checkout is refused as well', async (t) => {
  for (const [name, data] of dangers) t.match(findFault('tree', data), new RegExp(`^${name}: `), data.toString())
  t.match(findFault('tree', tree(['120000', '.gitmodules'])), /^gitmodulesSymlink/)
  t.equal(findFault('tree', tree(['100644', '.gitmodules'])), undefined)
  t.match(findFault('tree', tree(['100644', ''])), /^emptyName/)
  for (const broken of ['100644', '100644 a', '100644 a\x0a3', '10064x a\0'.padEnd(30), ' a\0'.padEnd(30)]) {
    t.match(findFault('tree', Buffer.from(broken)), /^badTree/)
  }
})

t.test('oddities of real histories are accepted', async (t) => {
  for (const text of ['A <a@b> 1 +051800', 'A <a@b>1 +0000', 'A <a@b> 01 +0000', 'A <a@b> 1 0000']) {
    t.equal(findFault('commit', author(text)), undefined)
  }
})
