/** A repository's life through the Hub API: made, moved, changed, deleted (hub-api.md §2.2). */
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { HoldfastError } from '../../errors.ts'
import type { FirstFile } from '../../hub/first-files.ts'
import type { Hub } from '../../hub/hub.ts'
import { createStartedRepo } from '../../hub/initial-commit.ts'
import { parseRepoPath } from '../../hub/names.ts'
import { openRepo } from '../../hub/open-repo.ts'
import type { UserPrincipal } from '../../hub/principal.ts'
import type { RepoName, Visibility } from '../../hub/repo.ts'
import { deleteRepo, moveRepo, repoUrl, setVisibility } from '../../hub/repos.ts'
import { apiRepoRoute } from '../repo-route.ts'
import { nullable } from './schemas.ts'

const RepoTypeField = nullable(Type.Enum(['model', 'dataset', 'space']))

const RepoAddress = Type.Object({
  name: Type.String(),
  /** Absent or null: the caller's own namespace. */
  organization: nullable(Type.String()),
  type: RepoTypeField,
})
type RepoAddress = Static<typeof RepoAddress>

/** New clients say `visibility`, older ones `private`. */
const VisibilityFields = {
  visibility: nullable(Type.Enum(['public', 'private', 'protected'])),
  private: nullable(Type.Boolean()),
}

const CreateRequest = Type.Object({
  ...RepoAddress.properties,
  ...VisibilityFields,
  /** Of a Space, which its README names from then on. */
  sdk: nullable(Type.Enum(['gradio', 'docker', 'static', 'streamlit'])),
  template: nullable(Type.String()),
  /** huggingface.js sends both; the license goes into the README. */
  license: nullable(Type.String({ pattern: '^[A-Za-z0-9.+-]{1,64}$' })),
  files: nullable(
    Type.Array(Type.Object({ path: Type.String(), content: Type.String(), encoding: nullable(Type.String()) })),
  ),
})
type CreateRequest = Static<typeof CreateRequest>

const MoveRequest = Type.Object({ fromRepo: Type.String(), toRepo: Type.String(), type: RepoTypeField })
type MoveRequest = Static<typeof MoveRequest>

const SettingsRequest = Type.Object({
  ...VisibilityFields,
  gated: Type.Optional(Type.Union([Type.Boolean(), Type.String(), Type.Null()])),
})
type SettingsRequest = Static<typeof SettingsRequest>

const RepoUrl = Type.Object({ url: Type.String(), name: Type.String(), id: Type.String() })

/** The routes that make, move, change and delete repositories. */
export function repoRoutes(hub: Hub): FastifyPluginAsync {
  return async (server) => {
    server.post('/api/repos/create', {
      config: { access: 'account' },
      schema: { summary: 'Create a repository', body: CreateRequest, response: { 200: RepoUrl } },
      handler: (request) => create(hub, request.principal as UserPrincipal, request.body as CreateRequest),
    })
    server.post('/api/repos/move', {
      config: { access: 'account' },
      schema: { summary: 'Rename or transfer a repository', body: MoveRequest, response: { 200: RepoUrl } },
      handler: (request) => move(hub, request.principal as UserPrincipal, request.body as MoveRequest),
    })
    server.delete('/api/repos/delete', {
      config: { access: 'account' },
      schema: { summary: 'Delete a repository', body: RepoAddress },
      handler: async (request, reply) => {
        const name = readAddress(request.principal as UserPrincipal, request.body as RepoAddress)
        await deleteRepo(hub, await openRepo(hub, request.principal, name, 'admin'))
        return reply.type('text/plain; charset=utf-8').send('OK')
      },
    })
    apiRepoRoute(server, {
      method: 'PUT',
      path: '/settings',
      access: 'admin',
      schema: { summary: 'Change visibility', body: SettingsRequest },
      handler: (request) => changeSettings(hub, request),
    })
  }
}

async function create(hub: Hub, principal: UserPrincipal, body: CreateRequest) {
  const name = readAddress(principal, body)
  if (body.template) throw new HoldfastError('InputInvalid', { message: 'This server has no templates for Spaces.' })
  const files = (body.files ?? []).map(readFile)
  if (name.type === 'space' && !body.sdk) {
    throw new HoldfastError('InputInvalid', {
      message: 'A Space needs "sdk": gradio, docker, static or streamlit.',
    })
  }
  const card = { sdk: name.type === 'space' ? body.sdk! : undefined, license: body.license ?? undefined }
  const visibility = readVisibility(body) ?? 'public'
  return describeAddress(hub, await createStartedRepo(hub, principal, name, { visibility, card, files }))
}

async function move(hub: Hub, principal: UserPrincipal, { fromRepo, toRepo, type }: MoveRequest) {
  const [from, to] = [fromRepo, toRepo].map((id) => ({ ...readId(id), type: type ?? 'model' }))
  const repo = await openRepo(hub, principal, from!, 'admin')
  return describeAddress(hub, await moveRepo(hub, principal, repo, to!))
}

async function changeSettings(hub: Hub, { repo, body }: FastifyRequest) {
  const settings = body as SettingsRequest
  if (settings.gated) {
    throw new HoldfastError('InputInvalid', {
      message: 'This server does not have gated repositories. Make the repository private and add collaborators.',
    })
  }
  const visibility = readVisibility(settings)
  if (visibility !== undefined) await setVisibility(hub, repo, visibility)
  const present = visibility ?? repo.visibility
  return { visibility: present, private: present === 'private', gated: false }
}

function readFile({ path, content, encoding }: NonNullable<CreateRequest['files']>[number]): FirstFile {
  if (encoding !== 'base64') return { path, content: Buffer.from(content) }
  if (/^[A-Za-z0-9+/]*={0,2}$/.test(content)) return { path, content: Buffer.from(content, 'base64') }
  throw new HoldfastError('InputInvalid', { message: `The content of "${path.slice(0, 200)}" is not base64.` })
}

function describeAddress(hub: Hub, repo: RepoName) {
  const id = `${repo.namespace}/${repo.name}`
  return { url: repoUrl(hub, repo), name: id, id }
}

function readVisibility(body: Pick<SettingsRequest, 'visibility' | 'private'>): Visibility | undefined {
  if (body.visibility === 'protected') {
    throw new HoldfastError('InputInvalid', { message: 'Repositories here are public or private, not protected.' })
  }
  if (body.visibility) return body.visibility
  return typeof body.private === 'boolean' ? (body.private ? 'private' : 'public') : undefined
}

/** Clients send the namespace apart, or before the name. */
function readAddress(principal: UserPrincipal, body: RepoAddress): RepoName {
  const slash = body.name.indexOf('/')
  const namespace = slash < 0 ? body.organization || principal.userName : body.name.slice(0, slash)
  return { type: body.type ?? 'model', namespace, name: body.name.slice(slash + 1) }
}

function readId(id: string): { namespace: string; name: string } {
  const name = parseRepoPath(id)
  if (name?.type === 'model') return name
  throw new HoldfastError('InputInvalid', {
    message: `"${id.slice(0, 200)}" is not a repository: write namespace/name.`,
  })
}
