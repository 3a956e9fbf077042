/** Organizations and their members: made and changed by the operator. An organization always has an admin. */
import {
  countAdmins,
  deleteMember,
  findNamespace,
  insertOrganization,
  listMembers,
  listMemberships,
  lockOrganization,
  type MemberRow,
  type MembershipRow,
  type NamespaceRow,
  upsertMember,
} from '../database/organizations.ts'
import type { NamespaceId, UserId } from '../database/queryable.ts'
import { HoldfastError } from '../errors.ts'
import { getUser, nameTaken } from './accounts.ts'
import type { Hub } from './hub.ts'
import { checkAccountName } from './names.ts'
import type { Role } from './principal.ts'

/** Makes an organization with its first admin. Throws InputInvalid, NameReserved, AccountNotFound or NameTaken. */
export async function createOrganization(hub: Hub, name: string, ownerName: string): Promise<NamespaceId> {
  checkAccountName(name, hub.config.limits)
  const owner = await getUser(hub, ownerName)
  const organizationId = await insertOrganization(hub.database, name, owner.userId)
  if (organizationId === undefined) throw nameTaken(name)
  return organizationId
}

/**
 * Adds a member, changes their role, or (role undefined) removes them; returns the organization's name as it is written.
 * Throws AccountNotFound, and Conflict where nobody would be left to administer it.
 */
export async function setMember(
  hub: Hub,
  organizationName: string,
  userName: string,
  role: Role | undefined,
): Promise<string> {
  const organization = await getOrganization(hub, organizationName)
  const user = await getUser(hub, userName)
  const organizationId = organization.namespaceId
  await hub.database.transaction(async (tx) => {
    await lockOrganization(tx, organizationId)
    if (role === undefined) await deleteMember(tx, organizationId, user.userId)
    else await upsertMember(tx, { organizationId, userId: user.userId, role })
    if ((await countAdmins(tx, organizationId)) > 0) return
    throw new HoldfastError('Conflict', {
      message: `${user.name} is the only admin of ${organization.name}. Give another member the role admin first.`,
    })
  })
  return organization.name
}

/** The members of an organization by name. Throws AccountNotFound. */
export async function listMembersOf(hub: Hub, organizationName: string): Promise<MemberRow[]> {
  const organization = await getOrganization(hub, organizationName)
  return await listMembers(hub.database, organization.namespaceId)
}

/** The organizations a user belongs to, with their role in each. */
export async function listOrganizationsOf(hub: Hub, userId: UserId): Promise<MembershipRow[]> {
  return await listMemberships(hub.database, userId)
}

async function getOrganization(hub: Hub, name: string): Promise<NamespaceRow> {
  const namespace = await findNamespace(hub.database, name, undefined)
  if (namespace?.kind === 'organization') return namespace
  throw new HoldfastError('AccountNotFound', { message: `There is no organization "${name}".` })
}
