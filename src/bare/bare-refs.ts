/** A bare repository's refs on disk: HEAD, loose refs and packed-refs (gitrepository-layout). Names are latin1. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../errors.ts'
import { type ObjectId, parseObjectId } from '../git/object-id.ts'
import { locateId, type ObjectDatabase, type Ref, type RefSnapshot } from '../git/repository.ts'
import { peel } from '../git/walk/commit-graph.ts'

const symrefDepthMax = 5

/** Reads everything under `refs/`, a loose ref winning over a packed one. Throws ObjectMissing for a ref to nothing. */
export function readBareRefs(gitPath: string, objects: ObjectDatabase): RefSnapshot {
  const values = new Map([...readPackedRefs(gitPath), ...readLooseRefs(gitPath, 'refs')])
  const names = [...values.keys()].sort()
  const refs = names.flatMap((name): Ref[] => {
    const id = resolve(values, name)
    // A symbolic ref to a branch that is not born yet stands for nothing, as for git.
    return id === undefined ? [] : [{ name, id, peeledId: peelRef(objects, name, id) }]
  })
  const head = readFileSync(join(gitPath, 'HEAD'), 'latin1').trim()
  const headTarget = symrefTarget(head)
  return {
    headTarget,
    headId: headTarget === undefined ? parseObjectId(head) : refs.find(({ name }) => name === headTarget)?.id,
    refs,
  }
}

function resolve(values: ReadonlyMap<string, string>, name: string): ObjectId | undefined {
  let value = values.get(name)
  for (let depth = 0; value !== undefined && depth < symrefDepthMax; depth++) {
    const target = symrefTarget(value)
    if (target === undefined) return parseObjectId(value)
    value = values.get(target)
  }
  return undefined
}

function symrefTarget(value: string): string | undefined {
  return /^ref:\s*(refs\/.+)$/.exec(value)?.[1]
}

function peelRef(objects: ObjectDatabase, name: string, id: ObjectId): ObjectId | undefined {
  const ordinal = locateId(objects, id)
  if (ordinal < 0) throw new HoldfastError('ObjectMissing', { message: `${name} points to ${id}, which is missing.` })
  const target = peel(objects, ordinal)
  return target === ordinal ? undefined : objects.idOf(target)
}

function* readPackedRefs(gitPath: string): Iterable<[string, string]> {
  const path = join(gitPath, 'packed-refs')
  if (!existsSync(path)) return
  for (const line of readFileSync(path, 'latin1').split('\n')) {
    const [, id, name] = /^([0-9a-f]{40}) (.+)$/.exec(line) ?? []
    if (name !== undefined) yield [name, id]
  }
}

/** `folder` is a name in latin1; files are opened by their bytes, since names need not be UTF-8. */
function* readLooseRefs(gitPath: string, folder: string): Iterable<[string, string]> {
  const path = Buffer.concat([Buffer.from(`${gitPath}/`), Buffer.from(folder, 'latin1')])
  if (!existsSync(path)) return
  for (const entry of readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) {
    const name = `${folder}/${entry.name.toString('latin1')}`
    if (entry.isDirectory()) yield* readLooseRefs(gitPath, name)
    else if (!name.endsWith('.lock')) {
      const file = Buffer.concat([path, Buffer.from('/'), entry.name])
      yield [name, readFileSync(file, 'latin1').trim()]
    }
  }
}
