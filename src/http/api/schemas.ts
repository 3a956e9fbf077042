/** What the schemas of several routes are made of. */
import { type TSchema, Type } from 'typebox'

/** Absent or null: clients in Python send null where nothing was given. */
export function nullable<Schema extends TSchema>(schema: Schema) {
  return Type.Optional(Type.Union([schema, Type.Null()]))
}

/** How clients write a truth: as JSON, as `true` or `1`, or as Python's `True`. */
export function isTrue(value: unknown): boolean {
  return value === true || (typeof value === 'string' && /^(true|1)$/i.test(value))
}
