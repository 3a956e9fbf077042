/** What a user or an organization has, as far as whoever asks may see it. */
import { findNamespaceSummary } from '../database/namespace-summaries.ts'
import type { NamespaceId } from '../database/queryable.ts'
import { HoldfastError } from '../errors.ts'
import type { Hub } from './hub.ts'
import type { Principal } from './principal.ts'

export interface Overview {
  id: NamespaceId
  name: string
  createdAt: Date
  /** Repositories that the asker may read. */
  counts: { numModels: number; numDatasets: number; numSpaces: number }
}

/** Throws AccountNotFound where no account of that kind has the name. */
export async function openOverview(
  hub: Hub,
  principal: Principal,
  name: string,
  kind: 'user' | 'organization',
): Promise<Overview> {
  const user = principal.kind === 'user' ? principal : undefined
  const asker = { userId: user?.userId, isAll: user?.isAdmin ?? false }
  const found = await findNamespaceSummary(hub.database, asker, { name, kind })
  if (found === undefined) {
    throw new HoldfastError('AccountNotFound', { message: `There is no ${kind} "${name.slice(0, 200)}".` })
  }
  const { namespaceId, models, datasets, spaces, createdAt } = found
  const counts = { numModels: models, numDatasets: datasets, numSpaces: spaces }
  return { id: namespaceId, name: found.name, createdAt, counts }
}
