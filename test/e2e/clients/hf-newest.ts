/** What the newest `hf` command is asked for, in a deployment of its own: the two run beside each other. */
import { equal, match } from 'node:assert/strict'
import type { Test } from 'tap'
import { temporaryFolder } from '../../support/git.ts'
import type { Deployment } from '../../support/test-server.ts'
import { type Case, checkTable, hubLines, runCases } from './calls.ts'
import { branches, createHfUser, downloads, type HfUser, logIn, tags, uploads } from './hf-command.ts'

/** Runs every case of the newest command, two at a time, and compares the README's table with what came of them. */
export async function testNewestHf(t: Test, { servers }: Deployment): Promise<void> {
  const [line] = hubLines
  const user = await createHfUser(servers, line, temporaryFolder(t, 'hf-newest'))
  const first = await runCases(t, [logIn(user), ...createRepos(user)])
  const middle = await Promise.all([runCases(t, contentCases(user)), runCases(t, repoCases(user))])
  const last = await runCases(t, endCases(user))
  checkTable(t, 'hf', { [line.version]: [...first, ...middle.flat(), ...last] })
}

function createRepos({ hf, account, repo }: HfUser): Case[] {
  return [
    ['hf auth whoami', 'tells the name', async () => match(await hf('auth', 'whoami'), new RegExp(account.name))],
    ['hf repos create', 'makes a model', async () => void (await hf('repos', 'create', repo))],
    [
      'hf repos create',
      'makes a private dataset',
      async () => void (await hf('repos', 'create', `${account.name}/data`, '--type', 'dataset', '--private')),
    ],
  ]
}

/** Cases that bring files and take them. */
function contentCases(user: HfUser): Case[] {
  const { hf, repo } = user
  return [
    ...uploads(user),
    ...downloads(user),
    [
      'hf cache verify',
      'finds what was downloaded right',
      async () => {
        await hf('download', repo, '--revision', 'by/hf')
        await hf('cache', 'verify', repo, '--revision', 'by/hf')
      },
    ],
    [
      'hf models ls',
      'lists the files of a branch',
      async () => {
        const files = await hf('models', 'ls', repo, '--revision', 'by/hf', '--recursive', '--quiet')
        match(files, /there\/model\.safetensors/)
        match(files, /there\/deep\/a\.txt/)
      },
    ],
    [
      'hf repos delete-files',
      'deletes by pattern',
      async () => {
        await hf('repos', 'delete-files', repo, 'there/*.safetensors', '--revision', 'by/hf')
        equal((await hf('models', 'ls', repo, '--revision', 'by/hf', '-R', '--quiet')).includes('safetensors'), false)
      },
    ],
  ]
}

/** Cases about repositories, their branches and tags, which need no file. */
function repoCases(user: HfUser): Case[] {
  const { hf, account, repo } = user
  return [
    [
      'hf upload',
      'makes a repository that is not there',
      async () => {
        await hf('upload', `${account.name}/new-data`, 'folder', '.', '--repo-type', 'dataset', '--private')
      },
    ],
    ...branches(user),
    ...tags(user),
    [
      'hf models ls',
      'lists models',
      async () => match(await hf('models', 'ls', '--author', account.name, '--quiet'), /command/),
    ],
    ['hf models info', 'tells of a model', async () => match(await hf('models', 'info', repo), /command/)],
    [
      'hf datasets info',
      'tells of a dataset',
      async () => match(await hf('datasets', 'info', `${account.name}/data`), /data/),
    ],
    ['hf repos settings', 'hides a repository', async () => void (await hf('repos', 'settings', repo, '--private'))],
  ]
}

function endCases({ hf, account, repo }: HfUser): Case[] {
  const moved = `${account.name}/moved`
  return [
    [
      'hf repos duplicate',
      'makes a copy',
      async () => {
        await hf('repos', 'duplicate', repo, `${account.name}/copy`)
        await hf('download', `${account.name}/copy`, 'file.txt')
      },
    ],
    [
      'hf repos move',
      'moves a repository',
      async () => {
        await hf('repos', 'move', repo, moved)
        await hf('download', moved, 'file.txt', '--quiet')
      },
    ],
    [
      'hf repos delete',
      'deletes a repository',
      async () => {
        await hf('repos', 'delete', moved, '--yes')
        await hf('repos', 'delete', moved, '--yes', '--missing-ok')
      },
    ],
    ['hf auth logout', 'forgets the token', async () => void (await hf('auth', 'logout'))],
  ]
}
