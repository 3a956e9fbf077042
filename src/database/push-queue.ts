/**
 * Pushes to one repository take turns at its row, and each commit waits for the disk with the row in hand. So pushes that
 * come while one commits wait here, and are committed together by the next statement: writers then share the waiting.
 */
import { isRefusal } from './database.ts'
import { commitPushes, type NewPush, type PushOutcome } from './pushes.ts'
import type { Queryable, RepoId } from './queryable.ts'

/** As `commitPushes`, for one push: it is whole or not at all, whatever becomes of those that are committed with it. */
export function commitPush(db: Queryable, push: NewPush): Promise<PushOutcome> {
  const waiting: Waiting = { push, ...Promise.withResolvers<PushOutcome>() }
  const queues = queuesOf.get(db) ?? new Map<RepoId, Waiting[]>()
  queuesOf.set(db, queues)
  const queue = queues.get(push.repoId)
  if (queue !== undefined) queue.push(waiting)
  else void commitInTurn(db, queues, waiting)
  return waiting.promise
}

interface Waiting extends PromiseWithResolvers<PushOutcome> {
  push: NewPush
}

/** By repository, where a commit is under way: what waits for its end. */
const queuesOf = new WeakMap<Queryable, Map<RepoId, Waiting[]>>()

// Each size is a prepared statement; and a failure of one makes all of them try again, alone.
const togetherMax = 16
// Larger pushes hold the row by their own work, not by waiting for the disk.
const smallCommandsMax = 100
const smallClaimsMax = 100

/** Never rejects: whoever waits is told. */
async function commitInTurn(db: Queryable, queues: Map<RepoId, Waiting[]>, first: Waiting): Promise<void> {
  const { repoId } = first.push
  const queue: Waiting[] = []
  queues.set(repoId, queue)
  for (let turn = [first]; turn.length > 0; turn = takeTurn(queue)) await commitTogether(db, turn)
  queues.delete(repoId)
}

/** A large push alone, or small ones up to the next large one. */
function takeTurn(queue: Waiting[]): Waiting[] {
  const largeAt = queue.findIndex(({ push }) => !isSmall(push))
  const smallCount = largeAt < 0 ? queue.length : largeAt
  return queue.splice(0, Math.min(togetherMax, Math.max(1, smallCount)))
}

function isSmall({ commands, pack }: NewPush): boolean {
  return commands.length <= smallCommandsMax && (pack?.claims.length ?? 0) <= smallClaimsMax
}

async function commitTogether(db: Queryable, turn: readonly Waiting[]): Promise<void> {
  try {
    const outcomes = await commitPushes(
      db,
      turn.map(({ push }) => push),
    )
    for (const [number, { resolve }] of turn.entries()) resolve(outcomes[number])
  } catch (error) {
    // What was refused was rolled back, and is the fault of one of them. After any other error they may have been committed.
    if (turn.length > 1 && isRefusal(error)) {
      for (const one of turn) await commitTogether(db, [one])
    } else {
      for (const { reject } of turn) reject(error)
    }
  }
}
