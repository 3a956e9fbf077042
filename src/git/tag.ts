/** Annotated tags: what is tagged, its type, the name, the tagger (old tags have none), then the message. */
import { HoldfastError } from '../errors.ts'
import { formatIdentity, type Identity, parseIdentity } from './identity.ts'
import type { ObjectId } from './object-id.ts'
import type { ObjectType } from './repository.ts'

export interface Tag {
  objectId: ObjectId
  type: ObjectType
  name: string
  tagger: Identity | undefined
  message: string
}

/** Throws ObjectInvalid unless the first three lines are as they must be. */
export function parseTag(data: Buffer): Tag {
  const bodyAt = data.indexOf('\n\n')
  const head = data.toString('utf8', 0, bodyAt < 0 ? data.length : bodyAt)
  const found = /^object ([0-9a-f]{40})\ntype (commit|tree|blob|tag)\ntag (.*)(?:\ntagger (.*))?/.exec(head)
  if (found === null) throw new HoldfastError('ObjectInvalid', { message: 'A tag lacks its object, type or name.' })
  return {
    objectId: found[1] as ObjectId,
    type: found[2] as ObjectType,
    name: found[3],
    tagger: found[4] === undefined ? undefined : parseIdentity(found[4]),
    message: bodyAt < 0 ? '' : data.toString('utf8', bodyAt + 2),
  }
}

/** The bytes of a new tag, in UTF-8. */
export function formatTag(tag: Tag): Buffer {
  const lines = [`object ${tag.objectId}`, `type ${tag.type}`, `tag ${tag.name}`]
  if (tag.tagger !== undefined) lines.push(`tagger ${formatIdentity(tag.tagger)}`)
  return Buffer.from([...lines, '', tag.message].join('\n'))
}
