/** Settings: what an operator writes, and the sentence that they read where it is wrong. */
import { resolve } from 'node:path'
import t from 'tap'
import { readConfig } from '../src/config.ts'

t.test('without any setting: embedded, on this machine alone', (t) => {
  t.match(readConfig({}), {
    host: '127.0.0.1',
    publicUrl: 'http://127.0.0.1:3000',
    dataDir: resolve('data'),
    databaseUrl: undefined,
    s3: undefined,
    jobs: true,
  })
  t.match(readConfig({ PORT: '', DATABASE_URL: '', S3_ENDPOINT: '' }), { port: 3000, databaseUrl: undefined })
  t.end()
})

t.test('the public URL follows the address, in the spelling of URLs', (t) => {
  t.equal(readConfig({ HOST: '::1', PORT: '8080' }).publicUrl, 'http://[::1]:8080')
  t.equal(readConfig({ PUBLIC_URL: 'https://hub.example/' }).publicUrl, 'https://hub.example')
  t.throws(() => readConfig({ PUBLIC_URL: 'https://hub.example/below' }), /PUBLIC_URL/)
  t.end()
})

t.test('a wrong setting is named, and its value kept quiet', (t) => {
  const wrong = {
    PORT: ['http', '-1', '65536', '80.5'],
    PUBLIC_URL: ['hub.example', 'https://hub example'],
    DATABASE_URL: ['mysql://u:secret@db/x', 'postgres://u:secret#1@db:5432/x'],
    S3_ENDPOINT: ['minio:9000', 'http://u:secret#@minio'],
    LOG_LEVEL: ['loud'],
    JOBS: ['yes'],
    PACK_CACHE_MAX_BYTES: ['20G'],
    SPOOL_MAX_BYTES: ['0'],
    WORKER_THREADS: ['0', '1.5', 'all'],
    GIT_BLOB_MAX_BYTES: ['0'],
  }
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      let message = ''
      try {
        readConfig({ S3_ACCESS_KEY: 'a', S3_SECRET_KEY: 'b', [name]: value })
      } catch (error) {
        message = (error as Error).message
      }
      t.match(message, name, `${name}=${value}`)
      t.notMatch(message, 'secret')
    }
  }
  t.end()
})

t.test('an object store needs its keys; clients are sent to its public endpoint', (t) => {
  const s3 = { S3_ENDPOINT: 'http://minio:9000', S3_ACCESS_KEY: 'a', S3_SECRET_KEY: 'b' }
  t.throws(() => readConfig({ ...s3, S3_SECRET_KEY: '' }), /S3_SECRET_KEY/)
  t.match(readConfig(s3).s3, { publicEndpoint: 'http://minio:9000', bucket: 'holdfast', region: 'us-east-1' })
  const open = readConfig({ ...s3, S3_PUBLIC_ENDPOINT: 'https://bytes.example' }).s3
  t.match(open, { endpoint: 'http://minio:9000', publicEndpoint: 'https://bytes.example' })
  t.end()
})
