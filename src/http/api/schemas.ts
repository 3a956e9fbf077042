/** What the schemas of several routes are made of. */
import { type TSchema, Type } from 'typebox'

/** Absent or null: clients in Python send null where nothing was given. */
export function nullable<Schema extends TSchema>(schema: Schema) {
  return Type.Optional(Type.Union([schema, Type.Null()]))
}
