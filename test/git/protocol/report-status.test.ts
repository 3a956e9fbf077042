/** The report alone; clients that read it are in receive-pack.test.ts. */
import t from 'tap'
import type { ObjectId } from '../../../src/git/object-id.ts'
import { writeReport } from '../../../src/git/protocol/report-status.ts'

t.test('a report keeps to its lines, whatever the reasons are', async (t) => {
  const results = [
    { name: 'refs/heads/a', reason: undefined },
    { name: 'refs/heads/b', reason: 'größer als\n  erlaubt' },
    { name: 'refs/heads/c', reason: 'x'.repeat(100_000) },
  ]
  t.match(
    writeReport({ unpack: 'ok', results }, 1).toString(),
    /^000eunpack ok\n0014ok refs\/heads\/a\n00..ng refs\/heads\/b größer als erlaubt\nfff0ng refs\/heads\/c x+\n0000$/,
  )
})

t.test('version 2 tells what was done where it is not what was asked for', async (t) => {
  const [oldId, newId] = ['a', 'b'].map((digit) => digit.repeat(40) as ObjectId)
  const results = [
    { name: 'refs/for/main', reason: undefined, done: { name: 'refs/changes/1', oldId, newId, isForced: true } },
    { name: 'refs/heads/a', reason: undefined, done: { newId } },
    { name: 'refs/heads/b', reason: undefined },
    { name: 'refs/heads/c', reason: 'no', done: { newId } },
  ]
  const lines = (version: 1 | 2) =>
    writeReport({ unpack: 'ok', results }, version)
      .toString()
      .split('\n')
      .map((line) => line.slice(4))
  t.same(lines(2), [
    'unpack ok',
    'ok refs/for/main',
    'option refname refs/changes/1',
    `option old-oid ${oldId}`,
    `option new-oid ${newId}`,
    'option forced-update',
    'ok refs/heads/a',
    `option new-oid ${newId}`,
    'ok refs/heads/b',
    'ng refs/heads/c no',
    '',
  ])
  t.same(lines(1), ['unpack ok', 'ok refs/for/main', 'ok refs/heads/a', 'ok refs/heads/b', 'ng refs/heads/c no', ''])
})
