/** Who and when, as author, committer and tagger lines hold it: `Name <email> 1700000000 +0100`. */

export interface Identity {
  name: string
  email: string
  /** Seconds since 1970. */
  seconds: number
  /** As written, for example `+0100`. */
  timezone: string
}

/** Reads what stands behind `author `. Never fails: what old tools garbled comes out empty or 0. */
export function parseIdentity(line: string): Identity {
  const open = line.indexOf('<')
  const close = line.lastIndexOf('>')
  if (open < 0 || close < open) return { name: line.trim(), email: '', seconds: 0, timezone: '+0000' }
  const date = /^\s*(\d+)(?:\s+([+-]\d+))?/.exec(line.slice(close + 1))
  return {
    name: line.slice(0, open).trim(),
    email: line.slice(open + 1, close),
    seconds: date === null ? 0 : Number(date[1]),
    timezone: date?.[2] ?? '+0000',
  }
}

/** The line's text. Drops the characters that would end a field early, as git does. */
export function formatIdentity(identity: Identity): string {
  const name = identity.name.replace(/[<>\n\0]/g, '').trim()
  const email = identity.email.replace(/[<>\n\0]/g, '').trim()
  return `${name} <${email}> ${identity.seconds} ${identity.timezone}`
}
