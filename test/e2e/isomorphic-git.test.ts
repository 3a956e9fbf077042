/** One more real client: isomorphic-git, which speaks the protocol with code of its own. */
import fs from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as isomorphic from 'isomorphic-git'
import http from 'isomorphic-git/http/node'
import t from 'tap'
import { git, temporaryFolder } from '../support/git.ts'
import { makeHistory } from '../support/histories.ts'
import { createAccount, inBothDeployments } from '../support/test-server.ts'

const author = { name: 'Ada', email: 'ada@example.org', timestamp: 1_700_000_000, timezoneOffset: 0 }

inBothDeployments(t, 'isomorphic-git', async (t, { servers: [server] }) => {
  const folder = temporaryFolder(t, 'isomorphic')
  const ada = await createAccount(server, 'ada')
  const onAuth = () => ({ username: ada.name, password: ada.token })
  const url = `${server.url}/ada/tried`
  await server.holdfast('repo', 'create', 'model', 'ada/tried', '--private')
  const original = await makeHistory(join(folder, 'renames.git'), 'renames')
  await git(original, 'push', '--quiet', server.repoUrl(ada, 'ada/tried'), 'refs/heads/main')
  const dir = join(folder, 'clone')

  t.test('clone', async (t) => {
    await isomorphic.clone({ fs, http, dir, url, onAuth })
    t.equal(await isomorphic.resolveRef({ fs, dir, ref: 'HEAD' }), await git(original, 'rev-parse', 'main'))
    t.equal(await git(dir, 'fsck', '--strict', '--no-dangling'), '')
    t.equal((await isomorphic.log({ fs, dir, depth: 5 })).length, 5)
  })

  t.test('shallow clone of one branch', async (t) => {
    const shallow = join(folder, 'shallow')
    await isomorphic.clone({ fs, http, dir: shallow, url, onAuth, depth: 1, singleBranch: true, ref: 'main' })
    t.equal((await isomorphic.log({ fs, dir: shallow })).length, 1)
    t.match(await readFile(join(shallow, 'run.sh'), 'utf8'), 'bin/sh')
  })

  t.test('push, a branch, and its deletion', async (t) => {
    await mkdir(join(dir, 'new'), { recursive: true })
    await writeFile(join(dir, 'new/file.txt'), 'From JavaScript.\n')
    await isomorphic.add({ fs, dir, filepath: 'new/file.txt' })
    const commitId = await isomorphic.commit({ fs, dir, message: 'Say where from', author })
    for (const remoteRef of ['main', 'side']) {
      const pushed = await isomorphic.push({ fs, http, dir, url, onAuth, ref: 'main', remoteRef })
      t.ok(pushed.ok, remoteRef)
    }
    t.match(await git(folder, 'ls-remote', server.repoUrl(ada, 'ada/tried'), 'side'), commitId)
    await isomorphic.push({ fs, http, dir, url, onAuth, ref: 'main', remoteRef: 'refs/heads/side', delete: true })
    t.equal(await git(folder, 'ls-remote', server.repoUrl(ada, 'ada/tried'), 'side'), '')
    await git(folder, 'clone', '--quiet', server.repoUrl(ada, 'ada/tried'), join(folder, 'after'))
    t.equal(await git(join(folder, 'after'), 'rev-parse', 'HEAD'), commitId)
  })
})
