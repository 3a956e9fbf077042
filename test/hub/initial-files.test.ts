import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { initialFiles } from '../../src/hub/initial-files.ts'
import { git, gitEnvironment, temporaryFolder } from '../support/git.ts'

t.test('git reads the rules of each type', async (t) => {
  const folder = temporaryFolder(t)
  await git(folder, 'init', '-q')
  const paths = [
    'model.safetensors',
    'a/b.bin',
    'saved_model/1/x',
    'x.tar.gz',
    'events.tfevents.1',
    'x.lfs.1',
    'song.mp3',
  ]
  const lfs = (type: 'model' | 'dataset' | 'space') => {
    writeFileSync(join(folder, '.gitattributes'), initialFiles({ type, namespace: 'ada', name: 'x' })[0].text)
    const told = execFileSync('git', ['check-attr', 'filter', '--', ...paths, 'config.json'], {
      cwd: folder,
      env: gitEnvironment(),
      encoding: 'utf8',
    })
    return told.split('\n').flatMap((line) => (line.endsWith(': lfs') ? [line.split(':')[0]] : []))
  }
  t.same(lfs('model'), paths.slice(0, -1))
  t.same(lfs('space'), paths.slice(0, -1))
  t.same(lfs('dataset'), paths)
})

t.test('a README says what is known', async (t) => {
  const repo = { type: 'space', namespace: 'ada', name: '1.0-demo' } as const
  const [, readme] = initialFiles(repo, { sdk: 'gradio', license: 'mit' })
  t.same(readme, { name: 'README.md', text: '---\ntitle: "1.0-demo"\nsdk: gradio\nlicense: mit\n---\n' })
  t.same(
    initialFiles(repo).map(({ name }) => name),
    ['.gitattributes'],
  )
})
