/** Clones that begin with a link: bundle-uri and packfile-uris, by real git, from this server and from a store. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openS3Bucket } from '../../src/bucket/s3-bucket.ts'
import { createLogger } from '../../src/logger.ts'
import { allObjects, openScene, type Scene, storedChecksum } from '../support/clone-scene.ts'
import { describeRepository, git, run } from '../support/git.ts'
import { addPerson, gitUrl, type HouseOptions } from '../support/house.ts'
import { startMinio } from '../support/minio.ts'

const linked = { cloneLinkMinBytes: 1 }

async function openLinkedScene(t: Test, { hasTags = true, ...options }: HouseOptions & { hasTags?: boolean } = {}) {
  const scene = await openScene(t, { ...options, limits: { ...linked, ...options.limits } })
  await scene.push('--all')
  if (hasTags) await scene.push('--tags')
  await scene.compact()
  return scene
}

/** What version 2 answers to a request of these lines. */
async function ask(url: string, ...lines: string[]): Promise<string> {
  const packet = (line: string) => (line.length + 4).toString(16).padStart(4, '0') + line
  const { username, password, origin, pathname } = new URL(url)
  const answer = await fetch(`${origin}${pathname}/git-upload-pack`, {
    method: 'POST',
    headers: {
      'git-protocol': 'version=2',
      'content-type': 'application/x-git-upload-pack-request',
      authorization: `Basic ${btoa(`${username}:${password}`)}`,
    },
    body: `${lines.map(packet).join('')}0000`,
  })
  return await answer.text()
}

async function bundleLink(url: string) {
  return /bundle\.clone\.uri=(.*)0000$/.exec(await ask(url, 'command=bundle-uri'))?.[1]
}

async function advertised(scene: Scene) {
  const { origin, pathname, username, password } = new URL(scene.url)
  const answer = await fetch(`${origin}${pathname}/info/refs?service=git-upload-pack`, {
    headers: { 'git-protocol': 'version=2', authorization: `Basic ${btoa(`${username}:${password}`)}` },
  })
  return await answer.text()
}

async function cloneByUris(scene: Scene, name: string) {
  const clone = join(scene.folder, name)
  const options = ['-c', 'fetch.uriProtocols=http,https', '-c', 'transfer.unpackLimit=1']
  const ran = await run('git', [...options, 'clone', '--bare', scene.url, clone], { env: { GIT_TRACE_PACKET: '1' } })
  if (ran.status !== 0) throw new Error(ran.stderr)
  await git(clone, 'fsck', '--strict')
  const checksums = readdirSync(join(clone, 'objects/pack')).flatMap((file) => /-(.*)\.pack$/.exec(file)?.[1] ?? [])
  return { clone, checksums, hasLink: /clone< \\1packfile-uris$/m.test(ran.stderr) }
}

async function testLinks(t: Test, scene: Scene) {
  t.match(await advertised(scene), /fetch=[^\n]*packfile-uris[\s\S]*bundle-uri\n/)
  const first = await cloneByUris(scene, 'first.git')
  t.ok(first.hasLink)
  t.ok(first.checksums.includes(String(await storedChecksum(scene))), 'the pack behind the link')
  t.same(await describeRepository(first.clone), await describeRepository(scene.source))

  await git(scene.source, 'tag', '-a', '-m', 'later', 'later', 'main')
  await git(scene.source, 'update-ref', 'refs/heads/more', await commitOn(scene))
  await scene.push('--all')
  await scene.push('--tags')
  const second = await cloneByUris(scene, 'second.git')
  t.ok(second.hasLink, 'what came since comes beside it')
  t.same(await describeRepository(second.clone), await describeRepository(scene.source))

  const link = await bundleLink(scene.url)
  const bundled = join(scene.folder, 'bundled.git')
  await git(scene.folder, 'clone', '-q', '--bare', `--bundle-uri=${link}`, scene.url, bundled)
  await git(bundled, 'fsck', '--strict')
  t.match(await git(bundled, 'for-each-ref', 'refs/bundles'), /refs\/bundles\/tip-1$/m)
  const fetched = await git(scene.source, 'rev-list', '--objects', '--no-object-names', '--all')
  t.equal(await allObjects(bundled), fetched.split('\n').sort().join('\n'))
  const listed = await run(
    'sh',
    [
      '-c',
      `curl -sS '${link}' > b.bundle && git -C '${scene.source}' bundle verify -q "$PWD/b.bundle" && git bundle list-heads b.bundle`,
    ],
    { cwd: scene.folder },
  )
  t.equal(listed.status, 0, `${link} ${listed.stderr}`)
  const headings = listed.stdout.trim().split('\n')
  t.ok(
    headings.every((line) => /^\w+ refs\/(heads|tags)\/tip-\d+$/.test(line)),
    'no names, which may be hidden later',
  )
  t.equal(new Set(headings.map((line) => line.split(' ')[0])).size, headings.length)
  const plain = join(scene.folder, 'plain.git')
  await git(scene.folder, 'clone', '-q', '--bare', 'b.bundle', plain)
  await git(plain, 'fsck', '--strict')
}

async function commitOn({ source }: Scene) {
  const tree = await git(source, 'rev-parse', 'main^{tree}')
  return await git(source, 'commit-tree', tree, '-p', 'main', '-m', 'since')
}

t.test('from this server', async (t) => {
  const scene = await openLinkedScene(t)
  await testLinks(t, scene)
  const link = String(await bundleLink(scene.url))
  t.ok(link.startsWith(new URL(scene.url).origin), link)
  const part = await fetch(link, { headers: { range: 'bytes=0-14' } })
  t.equal(part.status, 206)
  t.equal(await part.text(), '# v2 git bundle')
  t.equal((await fetch(link.replace('.bundle', '.pack'))).status, 403, 'a link is for one file')
  const expires = Number(new URL(link).searchParams.get('expires'))
  t.ok(expires * 1000 <= Date.now() + 300_000, 'for 5 minutes')
})

t.test('from the store', async (t) => {
  const minio = await startMinio()
  t.teardown(() => minio.stop())
  const bucket = openS3Bucket(minio.newBucket(), createLogger('silent'))
  await bucket.probe()
  const scene = await openLinkedScene(t, { bucket: () => bucket })
  await testLinks(t, scene)
  const link = new URL(String(await bundleLink(scene.url)))
  t.not(link.origin, new URL(scene.url).origin)
  t.equal(link.searchParams.get('X-Amz-Expires'), '300')
})

t.test('none after a forced push, until the pack is made anew', async (t) => {
  // A tag would still lead to what is forced away.
  const scene = await openLinkedScene(t, { hasTags: false })
  await git(scene.source, 'update-ref', 'refs/heads/main', 'main~2')
  await scene.push('--force', 'main')
  t.equal(await bundleLink(scene.url), undefined)
  const { hasLink, clone } = await cloneByUris(scene, 'between.git')
  t.notOk(hasLink)
  const reachable = await git(scene.source, 'rev-list', '--objects', '--no-object-names', '--branches')
  t.equal(await allObjects(clone), reachable.split('\n').sort().join('\n'))
  await scene.compact()
  t.ok(await bundleLink(scene.url))
  t.ok((await cloneByUris(scene, 'after.git')).hasLink)
})

t.test('only for who sees all of it, and asks', async (t) => {
  const scene = await openLinkedScene(t)
  const plain = await scene.clone()
  t.same(plain.checksums, [await storedChecksum(scene)])
  await scene.hub.database.query(`update repos set visibility = 'private'`)
  const bob = await addPerson(scene.hub, 'bob')
  const url = gitUrl(new URL(scene.url), bob, 'ada/model')
  t.notMatch(await ask(url, 'command=bundle-uri'), /bundle\.clone/)
  t.ok(await bundleLink(scene.url), 'its owner still does')
})

t.test('small repositories offer none', async (t) => {
  const scene = await openLinkedScene(t, { limits: { cloneLinkMinBytes: 2 ** 30 } })
  t.notMatch(await advertised(scene), /bundle-uri|packfile-uris/)
  t.match(await ask(scene.url, 'command=bundle-uri'), /ERR invalid command 'bundle-uri'/)
})
