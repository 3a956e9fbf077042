import t from 'tap'
import { readConfig } from '../../src/config.ts'
import { checkAccountName, checkRepoName, parseRepoPath } from '../../src/hub/names.ts'
import { repoPath } from '../../src/hub/repo.ts'

const { limits } = readConfig({})

t.test('names that the Hub takes are taken', async () => {
  for (const name of ['a', '7', '_', 'all-MiniLM-L6-v2', 'x_y.z', 'gpt2', 'a'.repeat(limits.repoNameMaxLength)]) {
    checkRepoName(name, limits)
  }
  checkAccountName('Ann-Lee_2.0', limits)
  checkAccountName('a'.repeat(limits.accountNameMaxLength), limits)
})

t.test('names that its clients refuse are refused with a sentence', async (t) => {
  const wrong = ['', '-a', 'a-', '.a', 'a.', 'a--b', 'a..b', 'a.git', 'a.GIT', 'a b', 'a/b', 'ä', 'a\n', 'a%2fb']
  for (const name of [...wrong, 'a'.repeat(limits.repoNameMaxLength + 1)]) {
    t.throws(() => checkRepoName(name, limits), { code: 'InputInvalid' }, JSON.stringify(name))
    t.throws(() => checkAccountName(name, limits), { code: 'InputInvalid' }, JSON.stringify(name))
  }
  t.throws(() => checkAccountName('a'.repeat(limits.accountNameMaxLength + 1), limits), { code: 'InputInvalid' })
})

t.test('what stands at the root is reserved for accounts, in any case, and free for repositories', async (t) => {
  for (const name of ['api', 'Datasets', 'SPACES', 'healthz', 'metrics', 'new', 'settings']) {
    t.throws(() => checkAccountName(name, limits), { code: 'NameReserved' }, name)
  }
  checkRepoName('api', limits)
})

t.test('a repository is read as URLs write it', async (t) => {
  for (const path of ['ann/m', 'datasets/ann/m', 'spaces/ann/m']) t.equal(repoPath(parseRepoPath(path)!), path)
  for (const path of ['', 'm', 'ann/', '/m', 'datasets/m', 'spaces/m', 'models/ann/m', 'ann/m/x', 'datasets/a/b/c']) {
    t.equal(parseRepoPath(path), undefined, path)
  }
})
