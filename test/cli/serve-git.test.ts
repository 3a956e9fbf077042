import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import t from 'tap'
import { git, makeHistory, temporaryFolder } from '../support/git-client.ts'

const main = resolve(import.meta.dirname, '../../src/main.ts')

t.test('says where it serves, serves, and stops when told to', async (t) => {
  const folder = temporaryFolder(t)
  makeHistory(join(folder, 'model.git'), { seed: 91, commits: 5 })
  const child = spawn(process.execPath, [main, 'serve-git', folder, '--port=0'])
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const [line] = await once(child.stdout, 'data')
  const url = String(line).trim()
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
  await git(folder, 'clone', '-q', `${url}/model`, 'work')
  await git(join(folder, 'work'), 'push', '-q', 'origin', 'HEAD:new')
  t.match(said, `git clone ${url}/<path of the repository>`)
  child.kill('SIGTERM')
  const [status] = await once(child, 'exit')
  t.equal(status, 0)
})

t.test('a folder that is not there is named', async (t) => {
  const child = spawn(process.execPath, [main, 'serve-git', '/nonexistent/folder', '--port=0'])
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const [status] = await once(child, 'close')
  t.same([status, said], [1, '/nonexistent/folder is not a folder.\n'])
})
