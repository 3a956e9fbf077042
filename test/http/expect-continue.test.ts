import t from 'tap'
import { addPerson, addRepo, listen, openHouse } from '../support/house.ts'
import { openRaw } from '../support/raw-http.ts'

t.test('a client that waits is told to go on, or refused before its body', async (t) => {
  const hub = await openHouse(t)
  const ada = await addPerson(hub, 'ada')
  await addRepo(hub, ada, 'model')
  const server = await listen(t, hub)
  const head = (authorization: string) =>
    [
      'POST /ada/model.git/git-receive-pack HTTP/1.1',
      'Host: hub',
      'Content-Type: application/x-git-receive-pack-request',
      'Content-Length: 4',
      'Expect: 100-continue',
      `${authorization}\r\n\r\n`,
    ].join('\r\n')

  const good = openRaw(server)
  good.write(head(`Authorization: ${ada.headers.authorization}`))
  t.equal(await good.until(/\r\n\r\n/), 'HTTP/1.1 100 Continue\r\n\r\n')
  good.write('0000')
  t.match(await good.until(/Content-Type|content-type/), /HTTP\/1\.1 200 OK/)
  good.socket.destroy()

  for (const authorization of ['X-None: 1', 'Authorization: Bearer hf_wrong']) {
    const refused = openRaw(server)
    refused.write(head(authorization))
    const answer = await refused.rest()
    t.match(answer, /^HTTP\/1\.1 401 /)
    t.match(answer, /connection: close/i)
    t.match(answer, /www-authenticate: Basic/i)
  }
})
