/** Media types by file name, for the few that a browser should show. Text of any kind is plain text: nothing runs here. */

const imageTypes: Record<string, string> = {
  gif: 'image/gif',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  png: 'image/png',
  svg: 'image/svg+xml',
  webp: 'image/webp',
}
const textExtensions = new Set(
  'c cfg conf cpp css csv h html ini jinja js json jsonl md py rs rst sh toml ts txt xml yaml yml'.split(' '),
)
const textNames = new Set(['.gitattributes', '.gitignore', 'dockerfile', 'license', 'makefile', 'readme'])

/** The media type to send the file at `path` with. */
export function contentTypeOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const extension = name.slice(name.lastIndexOf('.') + 1)
  if (extension === 'json') return 'application/json; charset=utf-8'
  if (textExtensions.has(extension) || textNames.has(name)) return 'text/plain; charset=utf-8'
  return imageTypes[extension] ?? 'application/octet-stream'
}
