/**
 * The names at the root that no account may take, because pages, the Hub API and operations share it with namespaces
 * (design.md §8). Some are of the future: a name cannot be taken back from an account once it is given.
 */
const reserved = new Set([
  // The API, repository types and operations.
  ...['api', 'datasets', 'spaces', 'models', 'buckets', 'healthz', 'readyz', 'metrics', 'oauth', '.well-known'],
  // Pages of the Hub that its clients link to.
  ...['login', 'logout', 'join', 'signup', 'settings', 'new', 'new-dataset', 'new-space', 'organizations', 'users'],
  ...['docs', 'blog', 'tasks', 'papers', 'collections', 'chat', 'learn', 'pricing', 'enterprise', 'posts', 'inference'],
  ...['notifications', 'search', 'explore', 'trending', 'activity', 'likes', 'terms-of-service', 'privacy', 'support'],
  // Pages, links and files of this server.
  ...['about', 'account', 'admin', 'assets', 'avatars', 'bytes', 'cas', 'dashboard', 'download', 'downloads', 'error'],
  ...[
    'favicon.ico',
    'front',
    'git',
    'health',
    'help',
    'home',
    'holdfast',
    'import',
    'index.html',
    'jobs',
    'lfs',
    'links',
  ],
  ...['me', 'organization', 'public', 'ready', 'register', 'repos', 'reset', 'robots.txt', 'root', 'security'],
  ...['sitemap.xml', 'ssh', 'static', 'status', 'system', 'transfer', 'upload', 'uploads', 'user', 'webhooks', 'xet'],
  // Who a client is when it is nobody.
  ...['anonymous', 'none', 'null', 'undefined', 'operator'],
])

/** Whether an account of this name, in any case, would hide a page or be hidden by one. */
export function isReservedName(name: string): boolean {
  return reserved.has(name.toLowerCase())
}
