import t from 'tap'
import { HoldfastError, isHoldfastError } from '../src/errors.ts'

t.test('an error carries its code, its sentence and its details', async (t) => {
  const error = new HoldfastError('LockExists', { details: { path: 'a.bin' } })
  t.equal(error.message, 'The path is already locked.')
  t.same(error.details, { path: 'a.bin' })
  t.ok(isHoldfastError(error, 'LockExists'))
  t.notOk(isHoldfastError(error, 'Conflict'))
  t.notOk(isHoldfastError(new Error('x')))
})
