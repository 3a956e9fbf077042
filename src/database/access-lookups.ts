/**
 * Who asks and what they ask for, in one statement: the bearer of a token, a repository by its name, and the role that the
 * one holds for the other. Lookups of one turn of the event loop travel together, and equal ones once; so do
 * those that come while the database is busy: under load it answers one query where it would answer dozens. Nothing is remembered, each answer is read after it was asked for.
 */
import { isHoldfastError } from '../errors.ts'
import { liveBearer, type TokenBearerRow } from './access-tokens.ts'
import type { Queryable, StoredRole, UserId } from './queryable.ts'
import { heldRole, type RepoRow, repoColumns, type StoredName } from './repos.ts'

export interface AccessQuestion {
  /** Of a token, whose bearer then asks. */
  secretSha256?: Buffer
  /** Who asks where no token is given; undefined for nobody signed in. */
  userId?: UserId
  /** The repository, whatever the case of its name. */
  name?: StoredName
}

export interface AccessAnswer {
  /** Undefined where no token was given, and where it is unknown, expired, revoked, or its user is disabled. */
  bearer: TokenBearerRow | undefined
  /** The repository of that name, and the greatest role for it of whoever asks. */
  found: { repo: RepoRow; role: StoredRole | undefined } | undefined
}

/** Answers one question, together with those that others ask meanwhile. */
export function lookUpAccess(db: Queryable, question: AccessQuestion): Promise<AccessAnswer> {
  const batch = batches.get(db) ?? beginBatch(db)
  const key = keyOf(question)
  const waiting = batch.get(key) ?? { question, ...Promise.withResolvers<AccessAnswer>() }
  batch.set(key, waiting)
  return waiting.promise
}

interface Waiting extends PromiseWithResolvers<AccessAnswer> {
  question: AccessQuestion
}

type Batch = Map<string, Waiting>

/** What has been asked and is not under way yet: since the last turn of the event loop, or since the database is busy. */
const batches = new WeakMap<Queryable, Batch>()
const underWay = new WeakMap<Queryable, number>()
/** Under load the next batch gathers while these are answered; one that is slow does not hold up all others. */
const underWayMax = 2

function beginBatch(db: Queryable): Batch {
  const batch: Batch = new Map()
  batches.set(db, batch)
  setImmediate(() => send(db))
  return batch
}

/** Sends the batch that has gathered, unless enough are under way: the first of those to be answered sends it then. */
function send(db: Queryable): void {
  const batch = batches.get(db)
  const count = underWay.get(db) ?? 0
  if (batch === undefined || count >= underWayMax) return
  batches.delete(db)
  underWay.set(db, count + 1)
  void answerAll(db, [...batch.values()]).then(() => {
    underWay.set(db, underWay.get(db)! - 1)
    send(db)
  })
}

/** Never rejects: whoever waits is told. */
async function answerAll(db: Queryable, waiting: readonly Waiting[]): Promise<void> {
  try {
    const answers = await queryAccess(
      db,
      waiting.map(({ question }) => question),
    )
    for (const [index, { resolve }] of waiting.entries()) resolve(answers[index])
  } catch (error) {
    // A text that cannot be stored fails the whole statement, and is one caller's alone.
    if (waiting.length > 1 && isHoldfastError(error, 'InputInvalid')) {
      await Promise.all(waiting.map((one) => answerAll(db, [one])))
    } else {
      for (const { reject } of waiting) reject(error)
    }
  }
}

/** The same text for the same question. */
function keyOf({ secretSha256, userId, name }: AccessQuestion): string {
  return JSON.stringify([secretSha256?.toString('latin1'), userId, name?.type, name?.namespace, name?.name])
}

// Behind a subquery the planner does not see how many questions there are, so that it takes one plan for all statements;
// otherwise it makes one anew each time, which takes five times as long as answering.
const plannedOnce = ['bytea', 'bigint', 'text', 'text', 'text'].map(
  (type, index) => `(select $${index + 1}::${type}[])`,
)

type AccessRow = Partial<TokenBearerRow> & Partial<RepoRow> & { heldRole: StoredRole | null }

async function queryAccess(db: Queryable, questions: readonly AccessQuestion[]): Promise<AccessAnswer[]> {
  const rows = await db.query<AccessRow>(
    `select bearer.*, repo.*
       from unnest(${plannedOnce.join(', ')}) with ordinality
            as asked (secret_sha256, user_id, type, namespace, name, position)
       left join lateral (${liveBearer('asked.secret_sha256')}) bearer on true
       left join lateral (
         select ${repoColumns}, ${heldRole('coalesce(bearer."userId", asked.user_id)')} as "heldRole"
           from namespaces n
           join repos r on r.namespace_id = n.id
          where r.type = asked.type and lower(n.name) = lower(asked.namespace) and lower(r.name) = lower(asked.name)
       ) repo on true
      order by asked.position`,
    [
      questions.map(({ secretSha256 }) => secretSha256 ?? null),
      questions.map(({ userId }) => userId ?? null),
      questions.map(({ name }) => name?.type ?? null),
      questions.map(({ name }) => name?.namespace ?? null),
      questions.map(({ name }) => name?.name ?? null),
    ],
    'look-up-access',
  )
  return rows.map(answerOf)
}

function answerOf({ tokenId, tokenName, tokenRole, userId, userName, isAdmin, lastUsedAt, ...rest }: AccessRow) {
  const { heldRole: role, ...repo } = rest
  const bearer = { tokenId, tokenName, tokenRole, userId, userName, isAdmin, lastUsedAt } as TokenBearerRow
  return {
    bearer: tokenId === null ? undefined : bearer,
    found: repo.id === null ? undefined : { repo: repo as RepoRow, role: role ?? undefined },
  }
}
