/** Opens the hub for one command, and closes it however the command ends. */
import { type Config, readConfig } from '../config.ts'
import { HoldfastError } from '../errors.ts'
import type { Hub } from '../hub/hub.ts'

/** Runs `run` with the hub of the settings in the environment, beside a running server or without one. */
export async function withHub(run: (hub: Hub) => Promise<void>): Promise<void> {
  // Loaded here, so that help and usage errors do not wait for what they do not need.
  const { openHub } = await import('../compose.ts')
  // A command's standard error is read by a person: only what went wrong belongs there.
  const { hub, close } = await openHub(readSettings({ LOG_LEVEL: 'warn' }))
  try {
    await run(hub)
  } finally {
    await close()
  }
}

/** The settings in the environment, on top of `defaults`. Throws InputInvalid with a sentence that names the wrong one. */
export function readSettings(defaults: NodeJS.ProcessEnv = {}): Config {
  try {
    return readConfig({ ...defaults, ...process.env })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new HoldfastError('InputInvalid', { message: `A setting is wrong: ${reason}`, cause: error })
  }
}
