/**
 * Who may read a repository is decided by a pure function for one (hub/access.ts), and in SQL for sets: lists of
 * repositories, and LFS content that is readable elsewhere. Random worlds hold all of them to one answer.
 */
import t from 'tap'
import { lookUpAccess } from '../../src/database/access-lookups.ts'
import type { NamespaceId, Queryable, RepoId, UserId } from '../../src/database/queryable.ts'
import { allows, decideAccess } from '../../src/hub/access.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { findMissingLfs } from '../../src/hub/lfs-presence.ts'
import { anonymous, type Principal, type Role, roles, type UserPrincipal } from '../../src/hub/principal.ts'
import type { Visibility } from '../../src/hub/repo.ts'
import { type RepoSearch, searchRepos } from '../../src/hub/repo-search.ts'
import { listVisibleRepos } from '../../src/hub/repos.ts'
import { seededRandom } from '../support/git-client.ts'
import { createHubOverDatabase } from '../support/hub-over-database.ts'

const worlds = 200

interface WorldRepo {
  id: RepoId
  ownerId: NamespaceId
  visibility: Visibility
  /** Content granted to it and nowhere else. */
  lfsOid: string
}

interface World {
  users: UserPrincipal[]
  organizationIds: NamespaceId[]
  /** Roles of users, by organization and by repository. */
  members: Held[]
  collaborators: Held[]
  repos: WorldRepo[]
}

interface Held {
  where: NamespaceId | RepoId
  userId: UserId
  role: Role
}

/** Few of everything, so that owners, members and collaborators often meet. */
function makeWorld(seed: number): World {
  const random = seededRandom(seed)
  const chance = (share: number) => random() < share
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]
  const users = [1, 2, 3, 4].map((id): UserPrincipal => {
    const credential = { role: pick(roles), tokenId: undefined, tokenName: undefined }
    return { kind: 'user', userId: `${id}` as UserId, userName: `n${id}`, isAdmin: chance(0.1), ...credential }
  })
  const organizationIds = ['5', '6'] as NamespaceId[]
  const repos = [1, 2, 3, 4, 5, 6].map((id): WorldRepo => {
    const ownerId = pick([...users.map(({ userId }) => userId), ...organizationIds, ...organizationIds])
    const visibility = chance(0.25) ? 'public' : 'private'
    return { id: `${id}` as RepoId, ownerId, visibility, lfsOid: `${id}`.repeat(64) }
  })
  const share = (places: readonly Held['where'][], part: number): Held[] =>
    places
      .flatMap((where) => users.map(({ userId }) => ({ where, userId, role: pick(roles) })))
      .filter(() => chance(part))
  const members = share(organizationIds, 0.4)
  const collaborators = share(
    repos.map(({ id }) => id),
    0.2,
  )
  return { users, organizationIds, members, collaborators, repos }
}

async function store(tx: Queryable, { users, organizationIds, members, collaborators, repos }: World): Promise<void> {
  const insert = (table: string, columns: string, rows: readonly object[]) =>
    tx.query(
      `insert into ${table} (${columns}) overriding system value
       select ${columns} from json_populate_recordset(null::${table}, $1)`,
      [JSON.stringify(rows)],
    )
  await insert('namespaces', 'id, name, kind', [
    ...users.map(({ userId }) => ({ id: userId, name: `n${userId}`, kind: 'user' })),
    ...organizationIds.map((id) => ({ id, name: `n${id}`, kind: 'organization' })),
  ])
  const accounts = users.map(({ userId, isAdmin }) => ({ id: userId, is_admin: isAdmin }))
  await insert('users', 'id, is_admin', accounts)
  await insert(
    'organizations',
    'id',
    organizationIds.map((id) => ({ id })),
  )
  const memberRows = members.map(({ where, userId, role }) => ({ organization_id: where, user_id: userId, role }))
  await insert('organization_members', 'organization_id, user_id, role', memberRows)
  const repoRows = repos.map(({ id, ownerId, visibility }) => ({
    id,
    namespace_id: ownerId,
    name: `r${id}`,
    visibility,
  }))
  await insert(
    'repos',
    'id, namespace_id, type, name, visibility',
    repoRows.map((row) => ({ ...row, type: 'model' })),
  )
  const shareRows = collaborators.map(({ where, userId, role }) => ({ repo_id: where, user_id: userId, role }))
  await insert('collaborators', 'repo_id, user_id, role', shareRows)
  const contents = repos.map(({ id, lfsOid }) => ({ repo_id: id, oid: `\\x${lfsOid}`, size_bytes: 1, key: lfsOid }))
  await insert('lfs_objects', 'oid, size_bytes, key', contents)
  await insert('lfs_grants', 'repo_id, oid', contents)
}

interface Answers {
  /** The greatest role for each repository. */
  roles: (Role | undefined)[]
  /** Which repositories are listed. */
  listed: RepoId[]
  /** And which are found by a search. */
  searched: RepoId[]
  /** Of which repositories the LFS content may be pointed to from the first one, which holds its own in any case. */
  lfs: RepoId[]
}

/** From the facts alone. */
function expectAnswers({ members, collaborators, repos }: World, principal: Principal): Answers {
  const userId = principal.kind === 'user' ? principal.userId : undefined
  const held = repos.map(({ id, ownerId }) => {
    const shares = [
      ...members.filter(({ where }) => where === ownerId),
      ...collaborators.filter(({ where }) => where === id),
    ]
    const all = shares.filter((one) => one.userId === userId).map(({ role }) => role)
    if (ownerId === userId) all.push('admin')
    return roles.findLast((role) => all.includes(role))
  })
  const readable = repos.filter((repo, index) => allows(decideAccess(principal, repo, held[index]), 'read'))
  const listed = readable.map(({ id }) => id)
  return { roles: held, listed, searched: listed, lfs: [repos[0].id, ...listed.filter((id) => id !== repos[0].id)] }
}

const everyModel: RepoSearch = {
  ...{ type: 'model', author: undefined, words: [], tags: [], pipelineTag: undefined, sort: 'createdAt' },
  ...{ parameters: { min: undefined, max: undefined }, isAscending: false, cursor: undefined, pageSize: undefined },
  isDetailed: false,
}

/** From the database. */
async function findAnswers(hub: Hub, tx: Queryable, { repos }: World, principal: Principal): Promise<Answers> {
  const userId = principal.kind === 'user' ? principal.userId : undefined
  const held: Answers['roles'] = []
  for (const { id, ownerId } of repos) {
    const name = { type: 'model', namespace: `n${ownerId}`, name: `r${id}` } as const
    const { found } = await lookUpAccess(tx, { userId, name })
    held.push(found?.role)
  }
  const here = { ...hub, database: { ...hub.database, query: tx.query } }
  const page = await listVisibleRepos(here, principal, {})
  const search = await searchRepos(here, principal, everyModel)
  const pointers = repos.map(({ lfsOid }) => ({ lfsOid, sizeBytes: 1 }))
  const missing = await findMissingLfs(tx, { repo: repos[0], principal, pointers })
  const absent = new Set(missing.map(({ lfsOid }) => lfsOid))
  return {
    roles: held,
    listed: page.repos.map(({ id }) => id).reverse(),
    searched: search.repos.map(({ repoId }) => repoId).reverse(),
    lfs: repos.filter(({ lfsOid }) => !absent.has(lfsOid)).map(({ id }) => id),
  }
}

/** Runs `using` in a transaction that leaves nothing. */
async function rolledBack(hub: Hub, using: (tx: Queryable) => Promise<void>): Promise<void> {
  const end = new Error('the end')
  const run = hub.database.transaction(async (tx) => {
    await using(tx)
    throw end
  })
  await run.catch((error: unknown) => {
    if (error !== end) throw error
  })
}

t.test('one answer to who may read what, in every world', async (t) => {
  const hub = await createHubOverDatabase(t)
  const seen = { readable: 0, hidden: 0 }
  for (let seed = 1; seed <= worlds; seed++) {
    const world = makeWorld(seed)
    const principals = [anonymous, ...world.users]
    const expected = principals.map((principal) => expectAnswers(world, principal))
    await rolledBack(hub, async (tx) => {
      await store(tx, world)
      const found: Answers[] = []
      for (const principal of principals) found.push(await findAnswers(hub, tx, world, principal))
      t.same(found, expected, `world ${seed}`)
    })
    const readable = expected.reduce((sum, { listed }) => sum + listed.length, 0)
    seen.readable += readable
    seen.hidden += principals.length * world.repos.length - readable
  }
  t.ok(seen.readable > worlds && seen.hidden > worlds, `${seen.readable} readable, ${seen.hidden} hidden`)
})
