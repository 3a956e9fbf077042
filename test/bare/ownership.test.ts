import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { geteuid } from 'node:process'
import t from 'tap'
import { openBareRepository } from '../../src/bare/bare-repository.ts'
import { checkOwner } from '../../src/bare/ownership.ts'
import { git, temporaryFolder } from '../support/git.ts'

const folder = temporaryFolder(t, 'ownership')
const repository = join(folder, 'theirs.git')
const configFile = join(folder, 'gitconfig')
const environment = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: configFile }
const dubious = { code: 'AccessDenied', message: /dubious ownership/ }

/** What `checkOwner` says with this as the user's configuration. */
function check(config: string, more: NodeJS.ProcessEnv = {}): void {
  writeFileSync(configFile, config)
  checkOwner(repository, { ...environment, ...more })
}

t.before(() => git(folder, 'init', '--quiet', '--bare', repository))

t.test('one’s own repository needs no word', async (t) => {
  t.doesNotThrow(() => check(''))
})

t.test("somebody else's is served only where it is declared safe", async (t) => {
  if (geteuid?.() !== 0) {
    // Only root can give a folder away: `/` stands for a folder of somebody else.
    t.throws(() => checkOwner('/', environment), dubious)
    return
  }
  chownSync(repository, 12_345, 12_345)
  t.throws(() => check(''), dubious)
  t.throws(() => check('[safe]\n\tdirectory = /elsewhere\n'), dubious)
  t.doesNotThrow(() => check(`[safe]\n\tdirectory = ${repository}\n`))
  t.doesNotThrow(() => check('[safe]\n\tdirectory = *\n'))
  t.throws(() => check(`[safe]\n\tdirectory = *\n\tdirectory =\n`), dubious, 'an empty value forgets')
  t.doesNotThrow(() => check('', { SUDO_UID: '12345' }), 'root by sudo acts for the user')
  writeFileSync(join(repository, 'config'), `[core]\n\tbare = true\n[safe]\n\tdirectory = *\n`)
  t.throws(() => check(''), dubious, "the repository's own word does not count")
  await t.rejects(openBareRepository(repository, { isOwnedOnly: true }), dubious)
  ;(await openBareRepository(repository)).close()
})
