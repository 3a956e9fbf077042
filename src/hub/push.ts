/**
 * A push: the only way in which a ref moves (design law 2). Checked in quarantine, brought to the bucket, then committed
 * in one transaction (push-transaction.ts).
 */
import type { PushHost, PushReport } from '../git/host.ts'
import type { ByteStream } from '../git/object-id.ts'
import { receivePack } from '../git/protocol/receive-pack.ts'
import type { RefCommand, RefResult } from '../git/repository.ts'
import type { Hub } from './hub.ts'
import type { Principal } from './principal.ts'
import { decide, without } from './push-decision.ts'
import { receivePushed, refuseWhole } from './push-reception.ts'
import { refuseByName } from './push-rules.ts'
import type { Arrived, Push, PushOptions } from './push-transaction.ts'
import type { Repo } from './repo.ts'

/** The answer to one request of `git-receive-pack`. Access (write) has been decided. `signal` fires when the client has gone. */
export function push(
  hub: Hub,
  principal: Principal,
  repo: Repo,
  request: ByteStream,
  { signal }: { signal: AbortSignal },
): ByteStream {
  return receivePack(pushHost(hub, principal, repo), request, { signal, limits: hub.config.limits })
}

/** The repository as the protocol's push side sees it. */
export function pushHost(hub: Hub, principal: Principal, repo: Repo, options: PushOptions = {}): PushHost {
  return { push: (request) => takePush({ hub, principal, repo, options, request }) }
}

async function takePush(push: Push): Promise<PushReport> {
  const { commands, atomic } = push.request
  const refused = commands.flatMap((command) => {
    const reason = refuseByName(command)
    return reason === undefined ? [] : [{ name: command.name, reason }]
  })
  const left = without(commands, refused)
  warnOfDeletions(push)
  if (left.length === 0 || (atomic && refused.length > 0)) return report(commands, refused)
  if (push.request.pack === undefined) return report(commands, [...refused, ...(await decide(push, left, undefined))])

  let arrived: Arrived
  try {
    arrived = await receivePushed(push, push.request.pack)
  } catch (error) {
    return refuseWhole(push, error)
  }
  try {
    const results = await decide(push, left, arrived)
    return report(commands, [...refused, ...results])
  } finally {
    arrived.quarantine.release()
  }
}

/** As git says it, and grants it all the same. */
function warnOfDeletions({ request }: Push): void {
  for (const { name, oldId, newId } of request.commands) {
    if (oldId !== undefined || newId !== undefined) continue
    request.progress(`warning: deleting a non-existent ref: ${Buffer.from(name, 'latin1')}\n`)
  }
}

/** One result per command, in the order of the commands; those nobody decided on fell with an atomic push. */
function report(commands: readonly RefCommand[], decided: readonly RefResult[]): PushReport {
  const byName = new Map(decided.map((result) => [result.name, result]))
  const results = commands.map(({ name }) => byName.get(name) ?? { name, reason: 'atomic push failure' })
  return { unpack: 'ok', results }
}
