/** Every row of the decision table, and the order of the levels. */
import t from 'tap'
import { type Access, allows, decideAccess } from '../../src/hub/access.ts'
import { anonymous, type Role, type UserPrincipal } from '../../src/hub/principal.ts'

const roles: (Role | undefined)[] = [undefined, 'read', 'write', 'admin']
const order = ['none', 'read', 'write', 'admin'] as const

function user(role: Role, isAdmin: boolean): UserPrincipal {
  return { kind: 'user', userId: '1' as never, userName: 'ann', isAdmin, role, tokenId: '1', tokenName: 'ci' }
}

// Rows: what the user holds. Columns: the credential's role (read, write, admin). Written out, not computed.
const privateTable: Record<string, [Access, Access, Access]> = {
  undefined: ['none', 'none', 'none'],
  read: ['read', 'read', 'read'],
  write: ['read', 'write', 'write'],
  admin: ['read', 'admin', 'admin'],
}
const publicTable: Record<string, [Access, Access, Access]> = {
  ...privateTable,
  undefined: ['read', 'read', 'read'],
}

t.test('anonymous reads what is public and nothing else, whatever role is claimed', async (t) => {
  for (const role of roles) {
    t.equal(decideAccess(anonymous, { visibility: 'public' }, role), 'read')
    t.equal(decideAccess(anonymous, { visibility: 'private' }, role), 'none')
  }
})

t.test(
  "a credential that may write has its user's role, one that may read reads, and none has less than the public",
  async (t) => {
    for (const [visibility, table] of [['private', privateTable] as const, ['public', publicTable] as const]) {
      for (const held of roles) {
        const row = (['read', 'write', 'admin'] as const).map((role) =>
          decideAccess(user(role, false), { visibility }, held),
        )
        t.same(row, table[String(held)], `${visibility}, holding ${held}`)
      }
    }
  },
)

t.test('a site admin may everywhere what their credential says, and in their own repositories all', async (t) => {
  for (const visibility of ['private', 'public'] as const) {
    for (const held of roles) {
      for (const role of ['read', 'write', 'admin'] as const) {
        const expected = held === 'admin' && role !== 'read' ? 'admin' : role
        t.equal(decideAccess(user(role, true), { visibility }, held), expected)
      }
    }
  }
})

t.test('a level allows itself and what is below it', async (t) => {
  for (const access of order) {
    for (const demanded of ['read', 'write', 'admin'] as const) {
      t.equal(allows(access, demanded), order.indexOf(access) >= order.indexOf(demanded), `${access} → ${demanded}`)
    }
  }
})
