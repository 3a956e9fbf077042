/** A random repository, opened for both servers and for the model they are held to. */
import { openBareRepository } from '../../src/bare/bare-repository.ts'
import type { FetchHost } from '../../src/git/host.ts'
import { locateId, type ObjectDatabase, type Ordinal, type RefSnapshot } from '../../src/git/repository.ts'
import { git, seededRandom } from './git-client.ts'
import { type ModelObject, readModel } from './object-model.ts'
import { openObjects, readAllObjects } from './objects.ts'
import { makeRandomRepository, sparseLists } from './random-repository.ts'

export interface FetchScenery {
  path: string
  objects: ObjectDatabase
  refs: RefSnapshot
  host: FetchHost
  model: ModelObject[]
  /** Some commits are older than their parents. */
  isSkewed: boolean
  /** Ordinals by type. */
  commits: Ordinal[]
  tags: Ordinal[]
  contents: Ordinal[]
  /** Ids of blobs with sparse patterns, and their text. */
  sparseBlobs: { id: string; text: string }[]
  close(): void
}

/** Makes and opens the repository of that number: by turns as it lies on disk, and as one pack with its side-car. */
export async function openScenery(path: string, number: number): Promise<FetchScenery> {
  const random = seededRandom(number)
  const isSkewed = number % 3 === 0
  await makeRandomRepository(path, { random, commits: 20 + Math.floor(random() * 60), skew: isSkewed ? 0.15 : 0 })
  for (const key of ['allowFilter', 'allowAnySHA1InWant', 'allowRefInWant']) {
    await git(path, 'config', `uploadpack.${key}`, 'true')
  }
  const repository = await openBareRepository(path)
  const isNoted = number % 2 === 1
  const objects = isNoted ? (await openObjects(readAllObjects(repository.objects))).objects : repository.objects
  const refs = await repository.refs()
  const model = readModel(objects)
  const ofType = (pattern: RegExp) => [...model.keys()].filter((ordinal) => pattern.test(model[ordinal].type))
  const blobs = [...model.keys()].filter((ordinal) => model[ordinal].type === 'blob')
  const texts = new Set(sparseLists)
  const sparseBlobs = blobs
    .map((ordinal) => ({ id: objects.idOf(ordinal), text: objects.read(ordinal).data.toString() }))
    .filter(({ text }) => texts.has(text))
  return {
    path,
    objects,
    refs,
    host: { refs: async () => refs, streamObjects: (using) => using(objects), refusedWants: async () => [] },
    model,
    isSkewed,
    commits: ofType(/commit/),
    tags: ofType(/tag/),
    contents: ofType(/tree|blob/),
    sparseBlobs: sparseBlobs.filter(({ id }) => locateId(objects, id as never) >= 0),
    close: () => repository.close(),
  }
}
