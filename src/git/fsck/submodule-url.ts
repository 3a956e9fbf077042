/** Which addresses of submodules git fetches from (submodule-config.c, check_submodule_url; urlmatch.c, url_normalize). */

const relative = /^\.{1,2}[/\\]/
/** Addresses that reach git-remote-curl, with what is passed to it. */
const curl = /^(?:(?:https?|ftps?)::(.*)|((?:https?|ftps?):\/\/.*))$/s

/** False for what could be taken for an option, hide a line feed from a credential helper, or escape its root. */
export function isSubmoduleUrl(url: string): boolean {
  if (url.startsWith('-')) return false
  if (relative.test(url) || url.startsWith('git://')) {
    return !decode(url).includes('\n') && !/^(?:\.[/\\])*\.\.[/\\](?:\.{1,2}[/\\])*[:/]/.test(url)
  }
  const [, explicit, implied] = curl.exec(url) ?? []
  const passed = explicit ?? implied
  return passed === undefined || (isNormalizable(passed) && !decode(passed).includes('\n'))
}

function isNormalizable(url: string): boolean {
  const [, authority, path] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)([^?#]*)/is.exec(url) ?? []
  if (authority === undefined || /%(?![0-9a-f]{2})/i.test(url)) return false
  const host = authority.slice(authority.indexOf('@') + 1)
  if (host === '' || host.startsWith(':')) return false
  const [, name, port] = /^(.*?)(?::([^:\]]*))?$/s.exec(host) as RegExpExecArray
  if (!/^[a-z0-9._[\]:-]*$/i.test(name)) return false
  if (port !== undefined && !/^0*(?:[1-9]\d{0,4})?$/.test(port)) return false
  if (port !== undefined && port !== '' && (Number(port) === 0 || Number(port) > 65_535)) return false
  return staysBelowRoot(path)
}

function staysBelowRoot(path: string): boolean {
  let depth = 0
  for (const segment of path.replace(/%2e/gi, '.').split('/').slice(1)) {
    if (segment === '..') depth--
    else if (segment !== '.') depth++
    if (depth < 0) return false
  }
  return true
}

/** Percent-decoding as git does it: what is no escape stays. */
function decode(url: string): string {
  return url.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}
