/** What `git fsck` says of the content of `.gitmodules`: names, addresses and commands that have harmed clones. */
import { isHoldfastError } from '../../errors.ts'
import { readConfigEntries } from '../config-file.ts'
import type { ReportFault } from './messages.ts'
import { isSubmoduleUrl } from './submodule-url.ts'

// Enough to know what is meant; the rest is whatever somebody pushed.
const quotedMaxLength = 256

export function checkGitmodules(data: Buffer, report: ReportFault): void {
  try {
    for (const { key, value } of readConfigEntries(data.toString('latin1'), '.gitmodules')) {
      const [, name, variable] = /^submodule\.(.*)\.([^.]*)$/s.exec(key) ?? []
      if (name !== undefined && !checkEntry({ name, variable, value }, report)) return
    }
  } catch (error) {
    if (!isHoldfastError(error, 'InputInvalid')) throw error
    report('gitmodulesParse', 'could not parse gitmodules blob')
  }
}

interface SubmoduleEntry {
  name: string
  variable: string
  value: string | undefined
}

function checkEntry({ name, variable, value }: SubmoduleEntry, report: ReportFault): boolean {
  if (!isSubmoduleName(name) && !report('gitmodulesName', `disallowed submodule name: ${quoted(name)}`)) return false
  if (value === undefined) return true
  if (variable === 'url' && !isSubmoduleUrl(value)) {
    return report('gitmodulesUrl', `disallowed submodule url: ${quoted(value)}`)
  }
  if (variable === 'path' && value.startsWith('-')) {
    return report('gitmodulesPath', `disallowed submodule path: ${quoted(value)}`)
  }
  if (variable === 'update' && value.startsWith('!')) {
    return report('gitmodulesUpdate', `disallowed submodule update setting: ${quoted(value)}`)
  }
  return true
}

function quoted(text: string): string {
  return text.slice(0, quotedMaxLength)
}

/** A name is a folder under `.git/modules` and may not lead out of it. */
function isSubmoduleName(name: string): boolean {
  return name !== '' && !name.split(/[/\\]/).includes('..')
}
