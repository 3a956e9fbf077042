import { fastify } from 'fastify'
import t from 'tap'
import { type ErrorCode, HoldfastError } from '../../../src/errors.ts'
import { sendLfsError } from '../../../src/http/lfs/errors.ts'

async function answerFor(error: unknown) {
  const server = fastify()
  server.setErrorHandler(sendLfsError)
  server.get('/', async () => {
    throw error
  })
  return await server.inject('/')
}

t.test('every failure has its status, and is LFS JSON', async (t) => {
  const statuses: Partial<Record<ErrorCode, number>> = {
    CredentialsMissing: 401,
    CredentialsInvalid: 401,
    AccessDenied: 403,
    LockNotFound: 404,
    NotAcceptable: 406,
    Conflict: 409,
    InputTooLarge: 413,
    MediaTypeUnsupported: 415,
    InputInvalid: 422,
    BytesMismatch: 422,
    SignInLimited: 429,
    Unsupported: 501,
    Unavailable: 503,
    StorageFull: 507,
  }
  for (const [code, status] of Object.entries(statuses)) {
    const answer = await answerFor(new HoldfastError(code as ErrorCode))
    t.equal(answer.statusCode, status, code)
    t.match(answer.headers['content-type'], /^application\/vnd\.git-lfs\+json/, code)
    t.match(answer.json(), { message: String, request_id: String }, code)
    t.equal('lfs-authenticate' in answer.headers, status === 401, code)
    t.equal('retry-after' in answer.headers, status === 429 || status === 503, code)
  }
})

t.test('whoever asks too often is told how long to wait', async (t) => {
  const answer = await answerFor(new HoldfastError('SignInLimited', { details: { retryAfterSeconds: 17 } }))
  t.match(answer, { statusCode: 429, headers: { 'retry-after': '17' } })
})

t.test('a full disk says so, a defect keeps its secrets', async (t) => {
  t.match(await answerFor(Object.assign(new Error('write /x'), { code: 'ENOSPC' })), { statusCode: 507 })
  const defect = await answerFor(new Error('secret'))
  t.equal(defect.statusCode, 500)
  t.notMatch(defect.body, 'secret')
})
