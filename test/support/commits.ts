/** Commits of a few files, pushed to a repository of a house without a git client. */
import { createHash } from 'node:crypto'
import { insertLfsGrants, insertLfsObjects } from '../../src/database/lfs-objects.ts'
import { formatCommit } from '../../src/git/commit.ts'
import type { ObjectId } from '../../src/git/object-id.ts'
import { formatFreshPack } from '../../src/git/pack/fresh-pack.ts'
import type { GitObject, ObjectType } from '../../src/git/repository.ts'
import { fileMode, formatTree } from '../../src/git/tree.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { anonymous, operator } from '../../src/hub/principal.ts'
import { pushHost } from '../../src/hub/push.ts'
import type { Repo } from '../../src/hub/repo.ts'
import { parseLfsOid } from '../../src/lfs/oid.ts'
import { writePointer } from '../../src/lfs/pointer.ts'

/** Makes `files`, all in the root folder, the newest commit of `branch`; returns its id and the repository as it is then. */
export async function commitFiles(
  hub: Hub,
  repo: Repo,
  files: Record<string, string | Buffer>,
  { branch = 'main', parentId }: { branch?: string; parentId?: ObjectId } = {},
): Promise<{ commitId: ObjectId; repo: Repo }> {
  const blobs = Object.entries(files).map(([name, data]) => ({ name, ...made('blob', Buffer.from(data)) }))
  blobs.sort((a, b) => (a.name < b.name ? -1 : 1))
  const root = made('tree', formatTree(blobs.map(({ name, id }) => ({ mode: fileMode, name, id }))))
  const person = { name: 'Ada', email: 'ada@example.org', seconds: 1, timezone: '+0000' }
  const parentIds = parentId === undefined ? [] : [parentId]
  const data = formatCommit({ treeId: root.id, parentIds, author: person, committer: person, message: 'x\n' })
  const commit = made('commit', data)
  const report = await pushHost(hub, anonymous, repo).push({
    commands: [{ name: `refs/heads/${branch}`, oldId: parentId, newId: commit.id }],
    atomic: false,
    pushOptions: [],
    pack: (async function* () {
      yield formatFreshPack([commit, root, ...blobs])
    })(),
    progress: () => {},
    signal: new AbortController().signal,
  })
  const reason = report.results[0]?.reason ?? report.cause
  if (reason !== undefined) throw new Error(String(reason))
  return { commitId: commit.id, repo: await openRepo(hub, operator, repo, 'read') }
}

/** Puts `content` among what the repository may serve by LFS; returns the pointer to it. */
export async function storeLfs(hub: Hub, repo: Repo, content: Buffer): Promise<string> {
  const lfsOid = parseLfsOid(createHash('sha256').update(content).digest('hex'))!
  const key = `lfs/${lfsOid}`
  await hub.bucket.put(
    key,
    (async function* () {
      yield content
    })(),
  )
  await insertLfsObjects(hub.database, [{ lfsOid, sizeBytes: content.length, key }])
  await insertLfsGrants(hub.database, repo.id, [lfsOid])
  return writePointer({ lfsOid, sizeBytes: content.length })
}

function made(type: ObjectType, data: Buffer): GitObject & { id: ObjectId } {
  const id = createHash('sha1').update(`${type} ${data.length}\0`).update(data).digest('hex') as ObjectId
  return { type, data, id }
}
