/** A client of Git LFS for measurements: batches by fetch, bytes by curl. */
import { run } from '../support/git.ts'
import type { Holdfast } from './holdfast.ts'
import type { Store } from './production.ts'

export interface LfsObject {
  oid: string
  size: number
}

export interface Action {
  href: string
  header?: Record<string, string>
}

export interface BatchObject extends LfsObject {
  actions?: { upload?: Action; download?: Action; verify?: Action }
}

export async function batch(holdfast: Holdfast, operation: string, objects: LfsObject[]): Promise<BatchObject[]> {
  const answer = await post(holdfast, `${holdfast.server.url}/ada/large.git/info/lfs/objects/batch`, {
    operation,
    transfers: ['basic'],
    hash_algo: 'sha256',
    objects,
  })
  return ((await answer.json()) as { objects: BatchObject[] }).objects
}

export async function upload(holdfast: Holdfast, object: BatchObject, path: string): Promise<void> {
  const { upload, verify } = object.actions ?? {}
  if (upload !== undefined) await curl([...headers(upload), '--upload-file', path, upload.href])
  if (verify !== undefined) await (await post(holdfast, verify.href, { oid: object.oid, size: object.size })).text()
}

async function post({ account }: Holdfast, url: string, body: unknown): Promise<Response> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${account.name}:${account.token}`).toString('base64')}`,
      'content-type': 'application/vnd.git-lfs+json',
      accept: 'application/vnd.git-lfs+json',
    },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  return answer
}

export function headers(action: Action | undefined): string[] {
  return Object.entries(action?.header ?? {}).flatMap(([name, value]) => ['--header', `${name}: ${value}`])
}

export async function curl(args: string[]): Promise<void> {
  const ran = await run('curl', ['--silent', '--show-error', '--fail', '--output', '/dev/null', ...args])
  if (ran.status !== 0) throw new Error(`curl: ${ran.stderr}`)
}

/** curl signs; the payload is not hashed first, as the clients of a presigned link do not. */
export function signedBy({ region, accessKey, secretKey }: Store): string[] {
  const signature = ['--aws-sigv4', `aws:amz:${region}:s3`, '--user', `${accessKey}:${secretKey}`]
  return [...signature, '--header', 'x-amz-content-sha256: UNSIGNED-PAYLOAD']
}
