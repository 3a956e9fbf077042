/** Errors as statuses: what tells a client what to do, and what tells nobody what is hidden or how it is built. */
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { type ErrorCode, HoldfastError } from '../../src/errors.ts'
import { describeFailure } from '../../src/http/failure.ts'

const requestOf = (kind?: 'user' | 'anonymous') =>
  ({ id: 'req-7', principal: kind && { kind } }) as unknown as FastifyRequest
const statusOf = (code: ErrorCode, kind?: 'user' | 'anonymous') =>
  describeFailure(new HoldfastError(code), requestOf(kind)).status

t.test('who is nobody and may not read reads 401, whether the repository exists or not', (t) => {
  t.equal(statusOf('RepoNotFound', 'anonymous'), 401)
  t.equal(statusOf('RepoNotFound'), 401, 'refused before anybody was asked who they are')
  t.equal(statusOf('RepoNotFound', 'user'), 404)
  t.equal(statusOf('RevisionNotFound', 'anonymous'), 404)
  t.equal(statusOf('AccessDenied', 'user'), 403)
  t.end()
})

t.test('a defect names the request and nothing of itself; the log has it all', (t) => {
  const request = requestOf('user')
  const defect = new Error('column "secret" of /srv/holdfast does not exist')
  const failure = describeFailure(defect, request)
  t.match(failure, { status: 500, code: undefined, details: {}, message: /req-7/ })
  t.notMatch(JSON.stringify(failure), /secret|srv/)
  t.same(request.failure, { code: undefined, error: defect })
  t.end()
})

t.test('when to try again', (t) => {
  const details = { retryAfterSeconds: 17 }
  const limited = describeFailure(new HoldfastError('SignInLimited', { details }), requestOf())
  t.match(limited, { status: 429, headers: { 'retry-after': '17' } })
  t.match(describeFailure(new HoldfastError('Unavailable'), requestOf()), {
    status: 503,
    headers: { 'retry-after': '5' },
  })
  t.same(describeFailure(new HoldfastError('Conflict'), requestOf()).headers, {})
  t.end()
})

t.test('what others throw: a full disk, and the refusals of the HTTP library', (t) => {
  const thrown = (error: object) => describeFailure(Object.assign(new Error('a message'), error), requestOf('user'))
  t.match(thrown({ code: 'ENOSPC' }), { status: 507, code: 'StorageFull' })
  t.match(thrown({ code: 'EDQUOT' }), { status: 507 })
  t.match(thrown({ statusCode: 413 }), { status: 413, code: 'InputTooLarge' })
  t.match(thrown({ statusCode: 415 }), { status: 415 })
  t.match(thrown({ statusCode: 400 }), { status: 400, message: 'a message' })
  t.match(thrown({ statusCode: 500 }), { status: 500, message: /req-7/ })
  t.match(thrown({ code: 'ENOENT' }), { status: 500, message: /req-7/ })
  t.end()
})
