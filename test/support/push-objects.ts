/** Objects made by hand, pushed to a hosted repository by the path that every push takes. */
import type { PushReport, PushRequest } from '../../src/git/host.ts'
import type { ObjectId } from '../../src/git/object-id.ts'
import { formatFreshPack } from '../../src/git/pack/fresh-pack.ts'
import type { Hub } from '../../src/hub/hub.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { anonymous, operator } from '../../src/hub/principal.ts'
import { pushHost } from '../../src/hub/push.ts'
import type { Repo } from '../../src/hub/repo.ts'
import type { MadeObject } from './objects.ts'

/** Ids before and after by ref name; undefined: there is none. */
export type Updates = Record<string, [oldId: ObjectId | undefined, newId: ObjectId | undefined]>

/** Pushes, and resolves to the repository as a request that begins now reads it. */
export async function pushObjects(
  hub: Hub,
  repo: Repo,
  updates: Updates,
  objects: readonly MadeObject[] = [],
  more: Partial<PushRequest> = {},
): Promise<{ report: PushReport; said: string; repo: Repo }> {
  let said = ''
  const pack = (async function* () {
    yield formatFreshPack(objects)
  })()
  const report = await pushHost(hub, anonymous, repo).push({
    commands: Object.entries(updates).map(([name, [oldId, newId]]) => ({ name, oldId, newId })),
    atomic: false,
    pushOptions: [],
    pack: Object.values(updates).every(([, newId]) => newId === undefined) ? undefined : pack,
    progress: (text) => {
      said += text
    },
    signal: new AbortController().signal,
    ...more,
  })
  return { report, said, repo: await openRepo(hub, operator, repo, 'read') }
}
