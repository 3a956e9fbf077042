/**
 * Keeps the compiled sources between starts: commands that git starts for every fetch and push take half the time then.
 * The folder is the user's own, since what lies in it is run.
 */
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'holdfast'))
