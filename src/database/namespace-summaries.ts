/** A user or organization with the number of its repositories, as somebody sees them. */
import type { NamespaceId, Queryable, UserId } from './queryable.ts'
import { heldRole } from './repos.ts'

export interface NamespaceSummaryRow {
  namespaceId: NamespaceId
  name: string
  createdAt: Date
  models: number
  datasets: number
  spaces: number
}

/** Undefined where no namespace of that kind has the name. `isAll` counts what the asker cannot read by a role, too. */
export async function findNamespaceSummary(
  db: Queryable,
  asker: { userId: UserId | undefined; isAll: boolean },
  { name, kind }: { name: string; kind: 'user' | 'organization' },
): Promise<NamespaceSummaryRow | undefined> {
  const [row] = await db.query<NamespaceSummaryRow>(
    `select n.id as "namespaceId", n.name, n.created_at as "createdAt",
            (count(*) filter (where r.type = 'model'))::int as models,
            (count(*) filter (where r.type = 'dataset'))::int as datasets,
            (count(*) filter (where r.type = 'space'))::int as spaces
       from namespaces n
       left join repos r on r.namespace_id = n.id
            and ($3::boolean or r.visibility = 'public' or ${heldRole('$4::bigint')} is not null)
      where lower(n.name) = lower($1) and n.kind = $2
      group by n.id`,
    [name, kind, asker.isAll, asker.userId ?? null],
  )
  return row
}
