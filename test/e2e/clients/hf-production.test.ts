/** The newest `hf` command against the production deployment. */
import t from 'tap'
import { startProduction } from '../../support/test-server.ts'
import { testNewestHf } from './hf-newest.ts'

t.test('hf, production', async (t) => testNewestHf(t, await startProduction(t)))
