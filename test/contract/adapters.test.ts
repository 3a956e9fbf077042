/** Both adapters keep what the engine's ports promise. */
import t from 'tap'
import { adapters } from '../support/adapters.ts'
import { objectDatabaseContract } from './object-database.ts'
import { refDatabaseContract } from './ref-database.ts'

for (const [name, open] of Object.entries(adapters)) {
  t.test(`${name}: objects`, async (t) => objectDatabaseContract(t, await open(t)))
  t.test(`${name}: refs`, async (t) => refDatabaseContract(t, await open(t)))
}
