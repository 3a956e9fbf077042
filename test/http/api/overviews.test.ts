import t from 'tap'
import { createOrganization, setMember } from '../../../src/hub/organizations.ts'
import { addPerson, addRepo, openDoors, openHouse, type Person } from '../../support/house.ts'

t.test('overviews count what the asker may read; members are told to members of the house', async (t) => {
  const hub = await openHouse(t)
  const [ada, eve] = [await addPerson(hub, 'ada'), await addPerson(hub, 'eve')]
  await createOrganization(hub, 'lab', 'ada')
  await setMember(hub, 'lab', 'eve', 'read')
  await addRepo(hub, ada, 'one')
  await addRepo(hub, ada, 'two', { visibility: 'private' })
  await addRepo(hub, ada, 'data', { type: 'dataset' })
  const server = await openDoors(t, hub)
  const get = async (who: Person | undefined, url: string) => await server.inject({ url, headers: who?.headers })

  const own = (await get(ada, '/api/users/ADA/overview')).json()
  t.match(own, { user: 'ada', fullname: 'ada', type: 'user', numModels: 2, numDatasets: 1, numSpaces: 0 })
  t.match(own.orgs, [{ name: 'lab' }])
  const asked = (await get(eve, '/api/users/ada/overview')).json()
  t.match(asked, { numModels: 1 })
  t.same(asked.orgs, [])

  const lab = (await get(eve, '/api/organizations/lab/overview')).json()
  t.match(lab, { name: 'lab', type: 'org', numUsers: 2, numModels: 0 })
  t.notOk('numUsers' in (await get(undefined, '/api/organizations/lab/overview')).json())
  const members = (await get(eve, '/api/organizations/lab/members')).json()
  t.match(members, [
    { user: 'ada', role: 'admin' },
    { user: 'eve', role: 'read' },
  ])
  t.equal((await get(undefined, '/api/organizations/lab/members')).statusCode, 401)
  for (const url of ['/api/users/lab/overview', '/api/organizations/ada/overview', '/api/organizations/no/members']) {
    t.equal((await get(eve, url)).statusCode, 404, url)
  }
})
