import t, { type Test } from 'tap'
import { findClash } from '../../src/git/edit-clash.ts'
import { fairLoop } from '../../src/git/fair-loop.ts'
import type { ObjectId } from '../../src/git/object-id.ts'
import { applyEdits, PathEdits } from '../../src/git/path-edits.ts'
import { git, gitEnvironment, run, temporaryFolder } from '../support/git.ts'
import { type MadeObject, made, makeTree, openObjects } from '../support/objects.ts'

const environment = gitEnvironment()

type Step = ['put', string, string] | ['remove', string]

const split = (path: string) => Buffer.from(path).toString('latin1').split('/')

function editsOf(steps: readonly Step[]): PathEdits {
  const edits = new PathEdits()
  for (const [kind, path, text] of steps) {
    if (kind === 'put') edits.put(split(path), made('blob', text as string).id)
    else edits.remove(split(path))
  }
  return edits
}

/** All objects of trees that are built by edits, one after another. */
async function apply(objects: MadeObject[], rootId: ObjectId | undefined, steps: readonly Step[]) {
  const opened = await openObjects(objects)
  const edited = await applyEdits(opened.objects, rootId, editsOf(steps), { pause: fairLoop() })
  for (const data of edited.newTrees.values()) objects.push(made('tree', data))
  return edited.treeId
}

/** The tree that git makes of the same steps, by its index. */
async function askGit(t: Test, steps: readonly Step[]): Promise<string> {
  const folder = temporaryFolder(t, 'edits')
  await git(folder, 'init', '-q')
  for (const [kind, path, text] of steps) {
    if (kind === 'put') {
      const hashed = await run('git', ['hash-object', '-w', '--stdin'], {
        cwd: folder,
        env: environment,
        stdin: text,
      })
      await git(folder, 'update-index', '--add', '--cacheinfo', `100644,${hashed.stdout.trim()},${path}`)
    } else await git(folder, 'rm', '-rq', '--cached', path)
  }
  return await git(folder, 'write-tree')
}

t.test('edits make the trees that git makes', async (t) => {
  const histories: Step[][][] = [
    [
      [
        ['put', 'foo', '1'],
        ['put', 'foo.txt', '2'],
        ['put', 'foo-bar', '3'],
        ['put', 'foo0/x', '4'],
        ['put', 'ä', '5'],
      ],
    ],
    [
      [
        ['put', 'foo', '1'],
        ['put', 'foo.txt', '2'],
        ['put', 'foo0', '3'],
      ],
      [
        ['remove', 'foo'],
        ['put', 'foo/x', '1'],
      ],
    ],
    [
      [
        ['put', 'foo/x', '1'],
        ['put', 'foo.txt', '2'],
        ['put', 'foo-', '2'],
      ],
      [
        ['remove', 'foo'],
        ['put', 'foo', '1'],
      ],
    ],
    [
      [
        ['put', 'a/b/c/d', '1'],
        ['put', 'e', '2'],
      ],
      [['remove', 'a/b/c/d']],
      [['put', 'a/x', '1']],
      [['remove', 'a']],
    ],
    [
      [
        ['put', 'a/b', '1'],
        ['put', 'a/c', '2'],
      ],
      [
        ['put', 'a/b', '3'],
        ['remove', 'a/c'],
        ['put', 'z', '4'],
      ],
    ],
    [
      [
        ['put', 'a', '1'],
        ['remove', 'a'],
        ['put', 'a/b', '2'],
        ['put', 'a/c', '3'],
        ['remove', 'a/b'],
      ],
    ],
    [
      [
        ['put', 'a/b', '1'],
        ['put', 'c', '1'],
      ],
      [
        ['remove', 'a'],
        ['put', 'a/x', '1'],
        ['put', 'a/b', '1'],
        ['remove', 'a/x'],
      ],
    ],
    [
      [
        ['put', 'a/b', '1'],
        ['put', 'c', '1'],
      ],
      [
        ['remove', 'a/b'],
        ['put', 'a', '1'],
      ],
    ],
  ]
  for (const history of histories) {
    const objects: MadeObject[] = []
    let rootId: ObjectId | undefined
    for (const steps of history) rootId = await apply(objects, rootId, steps)
    t.equal(rootId, await askGit(t, history.flat()), JSON.stringify(history))
  }
})

t.test('random edits make the trees that git makes', async (t) => {
  const names = ['a', 'a.b', 'a-', 'a0', 'b', 'ä']
  let state = 42
  const random = (below: number) => {
    state = (state * 48271) % 0x7fffffff
    return state % below
  }
  const objects: MadeObject[] = []
  const files = new Map<string, string>()
  const all: Step[] = []
  let rootId: ObjectId | undefined
  for (let round = 0; round < 12; round++) {
    const steps: Step[] = []
    for (let count = 0; count < 6; count++) {
      const path = Array.from({ length: 1 + random(3) }, () => names[random(names.length)]).join('/')
      const clashes = [...files.keys()].filter((other) => other.startsWith(`${path}/`) || path.startsWith(`${other}/`))
      for (const other of clashes) {
        steps.push(['remove', other])
        files.delete(other)
      }
      steps.push(['put', path, String(random(5))])
      files.set(path, '')
    }
    all.push(...steps)
    rootId = await apply(objects, rootId, steps)
  }
  t.equal(rootId, await askGit(t, all))
})

t.test('an edit that changes nothing makes no tree', async (t) => {
  const objects: MadeObject[] = []
  const rootId = await apply(objects, undefined, [['put', 'a/b', '1']])
  const opened = await openObjects(objects)
  const again = await applyEdits(opened.objects, rootId, editsOf([['put', 'a/b', '1']]), { pause: fairLoop() })
  t.equal(again.treeId, rootId)
  t.equal(again.newTrees.size, 0)
})

t.test('a program stays one, what is no file is replaced', async (t) => {
  const blob = made('blob', '1')
  const tree = made(
    'tree',
    Buffer.concat([
      Buffer.from(`100755 run\0`),
      Buffer.from(blob.id, 'hex'),
      Buffer.from(`160000 sub\0`),
      Buffer.from(blob.id, 'hex'),
    ]),
  )
  const { objects } = await openObjects([blob, tree])
  const { newTrees } = await applyEdits(
    objects,
    tree.id,
    editsOf([
      ['put', 'run', '2'],
      ['put', 'sub', '2'],
    ]),
    { pause: fairLoop() },
  )
  t.match([...newTrees.values()][0].toString('latin1'), /^100755 run.*100644 sub/s)
})

t.test('what cannot be', async (t) => {
  const objects: MadeObject[] = []
  const rootId = await apply(objects, undefined, [
    ['put', 'a/b', '1'],
    ['put', 'c', '1'],
  ])
  const refused = async (steps: Step[], code: string) => {
    await t.rejects(apply([...objects], rootId, steps), { code }, JSON.stringify(steps))
  }
  await refused([['put', 'a', '1']], 'PathInvalid')
  await refused([['put', 'c/d', '1']], 'PathInvalid')
  await refused(
    [
      ['put', 'x', '1'],
      ['put', 'x/y', '1'],
    ],
    'PathInvalid',
  )
  await refused(
    [
      ['put', 'x/y', '1'],
      ['put', 'x', '1'],
    ],
    'PathInvalid',
  )
  await refused([['remove', 'x']], 'EntryNotFound')
  await refused([['remove', 'c/d']], 'EntryNotFound')
  await refused([['remove', 'a/x']], 'EntryNotFound')
  await t.resolves(
    apply([...objects], rootId, [
      ['put', 'x', '1'],
      ['remove', 'x'],
      ['remove', 'a'],
      ['remove', 'a/b'],
    ]),
  )
})

t.test('edits that others do not clash with', async (t) => {
  const objects: MadeObject[] = [makeTree()]
  const base = await apply(objects, undefined, [
    ['put', 'a/b', '1'],
    ['put', 'a/c', '1'],
    ['put', 'd', '1'],
  ])
  const clash = async (others: readonly Step[], ours: readonly Step[]) => {
    const later = await apply(objects, base, others)
    const opened = await openObjects(objects)
    const range = { fromId: base, toId: later, pause: fairLoop() }
    return (await findClash(opened.objects, editsOf(ours), range)).path
  }
  t.equal(await clash([['put', 'x', '1']], [['put', 'y', '1']]), undefined)
  t.equal(await clash([['put', 'a/b', '2']], [['put', 'a/c', '2']]), undefined)
  t.equal(await clash([['put', 'a/b', '2']], [['put', 'a/b', '2']]), undefined)
  t.equal(await clash([['put', 'a/b', '2']], [['put', 'a/b', '3']]), 'a/b')
  t.equal(await clash([['put', 'x', '2']], [['put', 'x', '3']]), 'x')
  t.equal(await clash([['remove', 'a/b']], [['remove', 'a/b']]), undefined)
  t.equal(await clash([['remove', 'a/b']], [['put', 'a/b', '2']]), 'a/b')
  t.equal(await clash([['put', 'a/b', '2']], [['remove', 'a/b']]), 'a/b')
  t.equal(await clash([['put', 'a/x', '2']], [['remove', 'a']]), 'a')
  t.equal(await clash([['put', 'd', '2']], [['remove', 'a']]), undefined)
  t.equal(
    await clash(
      [
        ['remove', 'd'],
        ['put', 'd/e', '1'],
      ],
      [['put', 'd/f', '1']],
    ),
    'd',
  )
  t.equal(await clash([['put', 'x/y', '1']], [['put', 'x/z', '1']]), undefined)
  t.equal(await clash([['put', 'x', '1']], [['put', 'x/z', '1']]), 'x')
})

t.test('what somebody else has taken away need not be there', async (t) => {
  const objects: MadeObject[] = [makeTree()]
  const base = await apply(objects, undefined, [
    ['put', 'a/b', '1'],
    ['put', 'd', '1'],
  ])
  const later = await apply(objects, base, [['remove', 'a/b']])
  const { objects: opened } = await openObjects(objects)
  const edits = editsOf([
    ['remove', 'a/b'],
    ['put', 'x', '1'],
  ])
  const { gone } = await findClash(opened, edits, { fromId: base, toId: later, pause: fairLoop() })
  await t.rejects(applyEdits(opened, later, edits, { pause: fairLoop() }), { code: 'EntryNotFound' })
  await t.resolves(applyEdits(opened, later, edits, { pause: fairLoop(), gone }))
})
