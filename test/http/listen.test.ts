import t from 'tap'
import { startListening } from '../../src/http/listen.ts'
import { addPerson, addRepo, listen, openHouse } from '../support/house.ts'
import { openRaw } from '../support/raw-http.ts'

const pushHead = (authorization: string) =>
  [
    'POST /ada/model/git-receive-pack HTTP/1.1',
    'Host: hub',
    `Authorization: ${authorization}`,
    'Content-Type: application/x-git-receive-pack-request',
    'Content-Length: 4',
    'Expect: 100-continue\r\n\r\n',
  ].join('\r\n')

t.test('a stop waits for running requests and takes no new ones', async (t) => {
  const hub = await openHouse(t)
  const ada = await addPerson(hub, 'ada')
  await addRepo(hub, ada, 'model')
  const server = await startListening(hub)
  const url = new URL(server.url)
  t.equal(hub.config.publicUrl, server.url, 'PORT=0: the public URL is known now')
  const idle = openRaw(url)
  idle.write('GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n')
  await idle.until(/"ok"/)
  const running = openRaw(url)
  running.write(pushHead(ada.headers.authorization))
  await running.until(/100 Continue/)

  const closed = server.close()
  await idle.rest()
  const late = openRaw(url)
  t.equal(await late.rest(), '', 'nobody listens')
  running.write('0000')
  t.match(await running.rest(), /HTTP\/1\.1 200 OK/, 'what ran was answered')
  await closed
})

t.test('a stop does not wait for ever', async (t) => {
  const hub = await openHouse(t, { limits: { gracefulStopMs: 100 } })
  const ada = await addPerson(hub, 'ada')
  await addRepo(hub, ada, 'model')
  const server = await startListening(hub)
  const stuck = openRaw(new URL(server.url))
  stuck.write(pushHead(ada.headers.authorization))
  await stuck.until(/100 Continue/)
  await server.close()
  t.match(await stuck.rest(), /100 Continue/)
})

t.test('HTTP/1.0, kept connections, closed connections', async (t) => {
  const server = await listen(t, await openHouse(t))
  const old = openRaw(server)
  old.write('GET /healthz HTTP/1.0\r\n\r\n')
  t.match(await old.rest(), /^HTTP\/1\.1 200 OK.*{"status":"ok"}$/s)
  const kept = openRaw(server)
  kept.write('GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n')
  await kept.until(/"ok"}$/)
  kept.write('GET /healthz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n')
  const answers = await kept.rest()
  t.equal(answers.match(/HTTP\/1\.1 200 OK/g)?.length, 2)
})
