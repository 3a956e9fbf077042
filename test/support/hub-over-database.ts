/** A hub that stands on a real database alone: enough for the rules about accounts, access and names. */
import { readConfig } from '../../src/config.ts'
import { createUser } from '../../src/hub/accounts.ts'
import type { Hub } from '../../src/hub/hub.ts'
import type { Role, UserPrincipal } from '../../src/hub/principal.ts'
import { createLogger } from '../../src/logger.ts'
import { createTestDatabase } from './postgres.ts'

/** An empty hub for the test `t`. Its bucket and repositories must not be asked for anything. */
export async function createHubOverDatabase(t: Parameters<typeof createTestDatabase>[0]): Promise<Hub> {
  const { database } = await createTestDatabase(t)
  const config = readConfig({ PUBLIC_URL: 'http://hub.example' })
  const absent = { config, logger: createLogger('silent'), database, secret: Buffer.alloc(32) }
  return absent as unknown as Hub
}

/** Makes a user without a password and returns who they are when signed in with a credential of `role`. */
export async function createPrincipal(
  hub: Hub,
  name: string,
  options: { role?: Role; isAdmin?: boolean } = {},
): Promise<UserPrincipal> {
  const { role = 'admin', isAdmin = false } = options
  const userId = await createUser(hub, { name, isAdmin })
  return { kind: 'user', userId, userName: name, isAdmin, role, tokenId: undefined, tokenName: undefined }
}
