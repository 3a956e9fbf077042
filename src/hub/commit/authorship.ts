/** In whose name the API writes commits and tags. */
import type { Identity } from '../../git/identity.ts'
import type { Hub } from '../hub.ts'
import type { UserPrincipal } from '../principal.ts'

/** The user, now. Their real address stays with them. */
export function authorNow(hub: Hub, { userName }: UserPrincipal): Identity {
  return {
    name: userName,
    email: `${userName}@users.noreply.${new URL(hub.config.publicUrl).hostname}`,
    seconds: Math.floor(Date.now() / 1000),
    timezone: '+0000',
  }
}
