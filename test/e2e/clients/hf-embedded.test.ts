/** The newest `hf` command against the embedded deployment. */
import t from 'tap'
import { startEmbedded } from '../../support/test-server.ts'
import { testNewestHf } from './hf-newest.ts'

t.test('hf, embedded', async (t) => testNewestHf(t, await startEmbedded(t)))
