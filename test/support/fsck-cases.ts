/** Objects that are wrong in exactly one way each, under git's message ids. */
import type { MessageId } from '../../src/git/fsck/messages.ts'
import type { ObjectType } from '../../src/git/repository.ts'
import { type MadeObject, made } from './objects.ts'

const id = 'a'.repeat(40)
const commitId = 'b'.repeat(40)
const who = 'A <a@example.org> 1700000000 +0100'

export type FsckCase = [MessageId, ObjectType, Buffer]

export function tree(...entries: [mode: string, name: string, id?: number | MadeObject][]): Buffer {
  return Buffer.concat(
    entries.flatMap(([mode, name, target = 1]) => [
      Buffer.from(`${mode} ${name}\0`),
      typeof target === 'number' ? Buffer.alloc(20, target) : Buffer.from(target.id, 'hex'),
    ]),
  )
}

export function commit(
  changes: { tree?: string; parents?: string; author?: string; committer?: string; rest?: string } = {},
): Buffer {
  const { author = `author ${who}\n`, committer = `committer ${who}\n`, rest = '\nmessage\n' } = changes
  return Buffer.from(`${changes.tree ?? `tree ${id}\n`}${changes.parents ?? ''}${author}${committer}${rest}`)
}

export function tag(changes: { object?: string; type?: string; name?: string; tagger?: string; rest?: string } = {}) {
  const {
    object = `object ${commitId}\n`,
    type = 'type commit\n',
    name = 'tag v1\n',
    tagger = `tagger ${who}\n`,
    rest = '\nmessage\n',
  } = changes
  return Buffer.from(`${object}${type}${name}${tagger}${rest}`)
}

export const author = (text: string) => commit({ author: `author ${text}\n` })
const inTree = (ids: MessageId, ...trees: Buffer[]): FsckCase[] => trees.map((data) => [ids, 'tree', data])
const names = (mode: string, ...list: string[]) => list.map((name) => tree([mode, name]))

const wrongCommits: FsckCase[] = [
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
  ['badEmail', 'commit', author('A <a@b 1 +0000')],
  ['missingNameBeforeEmail', 'commit', author('<a@b> 1 +0000')],
  ['missingSpaceBeforeEmail', 'commit', author('A<a@b> 1 +0000')],
  ['missingSpaceBeforeDate', 'commit', author('A <a@b>1 +0000')],
  ['missingSpaceBeforeDate', 'commit', author('A <a@b>')],
  ['badDate', 'commit', author('A <a@b> x +0000')],
  ['badDate', 'commit', author('A <a@b> 1')],
  ['badDateOverflow', 'commit', author('A <a@b> 99999999999999999999 +0000')],
  ['badDateOverflow', 'commit', author('A <a@b> 9223372036854775808 +0000')],
  ['zeroPaddedDate', 'commit', author('A <a@b> 01 +0000')],
  ['badTimezone', 'commit', author('A <a@b> 1 +051800')],
  ['badTimezone', 'commit', author('A <a@b> 1 0000')],
  ['badTimezone', 'commit', author('A <a@b> 1 +0000 ')],
  ['nulInHeader', 'commit', commit({ author: `author ${who}\0\n` })],
  ['unterminatedHeader', 'commit', Buffer.from(`tree ${id}`)],
  ['nulInCommit', 'commit', commit({ rest: '\na\0b\n' })],
]

const wrongTags: FsckCase[] = [
  ['missingObject', 'tag', tag({ object: '' })],
  ['badObjectSha1', 'tag', tag({ object: 'object 12\n' })],
  ['missingTypeEntry', 'tag', tag({ type: '' })],
  ['badType', 'tag', tag({ type: 'type thing\n' })],
  ['missingTagEntry', 'tag', tag({ name: '' })],
  ['badTagName', 'tag', tag({ name: 'tag with space\n' })],
  ['badTagName', 'tag', tag({ name: 'tag \n' })],
  ['missingTaggerEntry', 'tag', tag({ tagger: '' })],
  ['missingEmail', 'tag', tag({ tagger: 'tagger A\n' })],
  ['zeroPaddedDate', 'tag', tag({ tagger: 'tagger A <a@b> 01 +0000\n' })],
]

const wrongTrees: FsckCase[] = [
  ...inTree(
    'treeNotSorted',
    tree(['100644', 'b'], ['100644', 'a']),
    tree(['40000', 'a'], ['100644', 'a.b']),
    tree(['100644', 'a', 1], ['100644', 'b'], ['100644', 'a']),
  ),
  ...inTree(
    'duplicateEntries',
    tree(['100644', 'a'], ['100644', 'a']),
    tree(['100644', 'a'], ['40000', 'a']),
    tree(['100644', 'a'], ['100644', 'a.b'], ['100644', 'a.b.c'], ['40000', 'a.b'], ['40000', 'a']),
    tree(['100644', 'a'], ['100644', 'a-'], ['100644', 'a.b'], ['40000', 'a']),
  ),
  ...inTree('nullSha1', tree(['100644', 'a', 0])),
  ...inTree('hasDot', tree(['40000', '.'])),
  ...inTree('hasDotdot', tree(['40000', '..'])),
  ...inTree('badTree', tree(['100644', ''])),
  ...inTree('fullPathname', tree(['100644', 'a/b']), tree(['100644', '/'])),
  ...inTree(
    'hasDotgit',
    ...names('40000', '.git', '.GIT', '.Git', '.git ', '.git...', '.git. .', 'git~1', 'GIT~1', '.git:x', 'a\\.git'),
    ...names('40000', '.g\u200cit', '\ufeff.git', '.git\\x', 'a\\git~1 .'),
  ),
  ...inTree('zeroPaddedFilemode', tree(['040000', 'a']), tree(['100644', 'a'], ['0100644', 'b'])),
  ...inTree('badFilemode', tree(['100664', 'a']), tree(['100600', 'a']), tree(['120001', 'a']), tree(['644', 'a'])),
  ...inTree(
    'gitmodulesSymlink',
    ...names('120000', '.gitmodules', '.GITmodules', 'gitmod~1', 'GITMOD~4 .', 'gi7eba~1', 'gi7eb~10', 'gi7~9999'),
    ...names('120000', '~1000000', 'a\\.gitmodules', '.gitmod\u200cules', '.gitmodules::$DATA'),
  ),
  ...inTree('gitattributesSymlink', ...names('120000', '.gitattributes', 'gitatt~2', 'gi7d29~3', '.gitattributes.')),
  ...inTree('gitignoreSymlink', ...names('120000', '.gitignore', 'gitign~1', 'GI250A~1', '.gitig\u200dnore')),
  ...inTree('mailmapSymlink', ...names('120000', '.mailmap', 'mailma~1', 'maba30~9', 'MABA3~22', '.MailMap ')),
]

export const wrongObjects: readonly FsckCase[] = [...wrongCommits, ...wrongTags, ...wrongTrees]

/** Bytes that are no tree at all. */
export const unreadableTrees = ['100644', '100644 a', '100644 a\x0a3', '10064x a\0'.padEnd(30), ' a\0'.padEnd(30)].map(
  (bytes) => Buffer.from(bytes),
)

/** What git has no word about. */
export const soundObjects: readonly [ObjectType, Buffer][] = [
  ['commit', commit()],
  ['commit', commit({ parents: `parent ${commitId}\n`.repeat(2), rest: 'encoding latin1\ngpgsig x\n y\n\nm\n' })],
  ['commit', commit({ rest: '' })],
  ['commit', author(' <> 0 +0000')],
  ['commit', author('A <a@b> \t 1 -0030')],
  ['tag', tag()],
  ['tag', tag({ rest: '' })],
  ['tree', tree()],
  ['tree', tree(['100644', 'b'], ['100755', 'c'], ['160000', 'd'], ['120000', 'e'])],
  ['tree', tree(['100644', '.gitx'], ['100644', 'a-'], ['40000', 'a', 2], ['40000', 'git', 2], ['100644', 'git~2'])],
  ['tree', tree(['100644', 'a'], ['100644', 'a.b'], ['40000', 'a.c', 2], ['100644', 'ab'])],
  ['tree', tree(['120000', 'gi7ebaa1'], ['120000', 'gi7eba~0'], ['120000', 'gitmod~5'], ['120000', 'mailmap'])],
  ['tree', tree(['40000', '...'], ['40000', '.gi'], ['40000', '.gitt'], ['40000', 'git~1x'], ['40000', 'x.git'])],
]

const submodule = (line: string, name = 'm') => `[submodule "${name}"]\n\t${line}\n`
const url = (address: string) => submodule(`url = "${address}"`)

/** Contents of `.gitmodules`, by what is wrong with them. */
export const wrongModules: readonly [MessageId, string][] = [
  ['gitmodulesName', submodule('path = a', '../x')],
  ['gitmodulesName', submodule('path = a', 'a/../b')],
  ['gitmodulesName', submodule('path = a', 'a\\\\..')],
  ['gitmodulesName', submodule('path = a', '')],
  ['gitmodulesPath', submodule('path = -x')],
  ['gitmodulesUpdate', submodule('update = !rm -rf ~')],
  ['gitmodulesUrl', url('-u./payload')],
  ['gitmodulesUrl', url('https://example.org/%0ahost=x')],
  ['gitmodulesUrl', url('https://user%0a@example.org/')],
  ['gitmodulesUrl', url('http::https://example.org%0a/')],
  ['gitmodulesUrl', url('git://example.org/%0ax')],
  ['gitmodulesUrl', url('./%0ax')],
  ['gitmodulesUrl', url('../../../../:example.org/x')],
  ['gitmodulesUrl', url('.././..//x')],
  ['gitmodulesUrl', url('..\\\\../:x')],
  ['gitmodulesUrl', url('https:///example.org/x')],
  ['gitmodulesUrl', url('http::example.org/x')],
  ['gitmodulesParse', '[submodule "m"\n'],
  ['gitmodulesParse', 'nonsense = [x\n= y'],
]

/** Addresses that git refuses since 2.43 (url_normalize). */
export const laterWrongUrls: readonly string[] = [
  'https://example.org:99999/x',
  'https://example.org:000/x',
  'https://example.org:x/',
  'https://exa mple.org/',
  'https://example.org/a/../../b',
  'https://example.org/%zz',
].map(url)

export const soundModules: readonly string[] = [
  '',
  submodule('path = a\n\turl = ../sibling.git\n\tupdate = rebase'),
  submodule('url'),
  submodule('url = https://user:p%20w@example.org:8443/a/./b/../c.git?x=%0'.replace('=%0', '=1')),
  submodule('url = git@example.org:a/b.git\n\tpath = a-b', 'deep/..name/x..'),
  submodule('url = ssh://example.org/%0a'),
  submodule('url = https://[::1]:443/x'),
  submodule('url = https://example.org'),
  '[submodule]\n\turl = -x\n[other "../x"]\n\turl = -x\n',
]

export function modulesObjects(content: string | Buffer): MadeObject[] {
  const file = made('blob', content)
  return [made('tree', tree(['100644', '.gitmodules', file])), file]
}
