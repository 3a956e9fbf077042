import t from 'tap'
import { HoldfastError } from '../../src/errors.ts'
import { duplicateRepo } from '../../src/hub/duplicate.ts'
import { createStartedRepo } from '../../src/hub/initial-commit.ts'
import { openRepo } from '../../src/hub/open-repo.ts'
import { operator } from '../../src/hub/principal.ts'
import { openHouse } from '../support/house.ts'
import { createPrincipal } from '../support/hub-over-database.ts'

t.test('a copy that cannot be filled goes again, unless somebody has pushed to it', async (t) => {
  const hub = await openHouse(t)
  const ada = await createPrincipal(hub, 'ada')
  const name = { type: 'model', namespace: 'ada', name: 'model' } as const
  const to = { ...name, name: 'copy' }
  await createStartedRepo(hub, ada, name, { visibility: 'public' })
  const source = await openRepo(hub, ada, name, 'read')
  for (const isPushedTo of [false, true]) {
    const receivePack = async () => {
      if (isPushedTo) await hub.database.query(`update repos set refs_version = refs_version + 1 where name = 'copy'`)
      throw new HoldfastError('StorageFull')
    }
    const broken = { ...hub, repositories: { ...hub.repositories, receivePack } }
    const copying = duplicateRepo(broken, ada, source, {
      to,
      visibility: undefined,
      signal: new AbortController().signal,
    })
    await t.rejects(copying)
    const found = openRepo(hub, operator, to, 'read')
    if (isPushedTo) await t.resolves(found)
    else await t.rejects(found, { code: 'RepoNotFound' })
  }
})
