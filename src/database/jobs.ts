/** Notes for the background: a job is enqueued by an SQL call inside the transaction that makes it necessary. */
import type { Queryable } from './queryable.ts'

export interface JobNote {
  name: string
  payload: Record<string, unknown>
  /** One waiting job per key. Who notes it says which note's time counts. */
  key?: string
  runAt?: Date
}

/** Enqueues the job, in place of one that waits under its key; it runs once, and only if, the transaction commits. */
export async function enqueueJob(tx: Queryable, { name, payload, key, runAt }: JobNote): Promise<void> {
  await tx.query('select graphile_worker.add_job($1, payload := $2, job_key := $3, run_at := $4)', [
    name,
    JSON.stringify(payload),
    key ?? null,
    runAt ?? null,
  ])
}
