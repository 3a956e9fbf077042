/** A repository to which the API commits, and real git to look at what came of it. */
import type { Test } from 'tap'
import { git, temporaryFolder } from './git.ts'
import { addPerson, gitUrl, type HouseOptions, listen, openHouse, type Person } from './house.ts'

export interface Line {
  key: string
  value: Record<string, unknown>
}

export const header = (summary = 'A commit', more: object = {}): Line => ({
  key: 'header',
  value: { summary, ...more },
})

export const file = (path: string, content: string | Buffer = `${path}\n`): Line => ({
  key: 'file',
  value: { path, content: Buffer.from(content).toString('base64'), encoding: 'base64' },
})

export const deletedFile = (path: string): Line => ({ key: 'deletedFile', value: { path } })
export const deletedFolder = (path: string): Line => ({ key: 'deletedFolder', value: { path } })

export const ndjson = (lines: readonly Line[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

export interface Answer {
  status: number
  headers: Headers
  body: Record<string, unknown> & { commitOid: string }
}

/** A hub that listens, and the model `ada/model` with its initial commit. */
export async function openCommitScene(t: Test, options: HouseOptions = {}) {
  const hub = await openHouse(t, options)
  const ada = await addPerson(hub, 'ada')
  const address = await listen(t, hub)
  hub.config.publicUrl = address.origin
  const call = async (who: Person | undefined, method: string, path: string, body?: string): Promise<Answer> => {
    const headers = { ...who?.headers, ...(body === undefined ? undefined : { 'content-type': 'application/json' }) }
    const response = await fetch(new URL(path, address), { method, headers, body, redirect: 'manual' })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : { text } }
  }
  const created = await call(ada, 'POST', '/api/repos/create', JSON.stringify({ name: 'model' }))
  if (created.status !== 200) throw new Error(`The repository was not made: ${JSON.stringify(created.body)}`)
  const api = '/api/models/ada/model'
  const commit = (lines: readonly Line[] | string, { who = ada, revision = 'main' } = {}) =>
    call(who, 'POST', `${api}/commit/${revision}`, typeof lines === 'string' ? lines : ndjson(lines))
  /** A fresh clone; resolves to its folder. */
  const clone = async () => {
    const folder = temporaryFolder(t, 'clone')
    await git(folder, 'clone', '-q', gitUrl(address, ada, 'ada/model'), '.')
    return folder
  }
  const head = async (branch = 'main') =>
    (await git('.', 'ls-remote', gitUrl(address, ada, 'ada/model'), `refs/heads/${branch}`)).split('\t')[0]
  return { hub, ada, address, api, call, commit, clone, head }
}
