/** What Holdfast is measured against: C git's `git http-backend` behind nginx and fcgiwrap, and nginx alone for files. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { git, run } from '../support/git.ts'

export interface CGit {
  /** Repositories lie under `<url>/git/<name>`, files that one may PUT and GET under `<url>/dav/`. */
  url: string
  pids(): number[]
  /** Takes in a bare repository, prepared as well as C git can be: one pack, bitmaps, a commit-graph. */
  addRepository(from: string, name: string): Promise<void>
  stop(): Promise<void>
}

export async function startCGit(folder: string, port: number): Promise<CGit> {
  const socket = join(folder, 'fcgiwrap.socket')
  const files = join(folder, 'files')
  const repositories = join(folder, 'repositories')
  for (const name of ['files/dav', 'repositories', 'temporary']) mkdirSync(join(folder, name), { recursive: true })
  const backend = join((await run('git', ['--exec-path'])).stdout.trim(), 'git-http-backend')
  writeFileSync(join(folder, 'nginx.conf'), nginxConfiguration({ folder, port, socket, files, repositories, backend }))

  const env = { PATH: `${process.env.PATH}:/usr/sbin:/sbin`, HOME: folder }
  // A group of its own: fcgiwrap leaves its children behind when it is told to stop.
  const wrap = spawn('fcgiwrap', ['-c', '4', '-s', `unix:${socket}`], { env, stdio: 'ignore', detached: true })
  const nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { env, stdio: 'inherit' })
  await waitForPort(port, nginx)
  return {
    url: `http://127.0.0.1:${port}`,
    pids: () => [wrap.pid ?? 0, nginx.pid ?? 0],
    async addRepository(from, name) {
      const to = join(repositories, name)
      await git(folder, 'clone', '--quiet', '--mirror', from, to)
      await git(to, 'config', 'http.receivepack', 'true')
      await git(to, 'repack', '-adq', '--write-bitmap-index')
      await git(to, 'commit-graph', 'write', '--reachable')
    },
    async stop() {
      await end(nginx)
      await end(wrap, true)
    },
  }
}

interface Places {
  folder: string
  port: number
  socket: string
  files: string
  repositories: string
  backend: string
}

function nginxConfiguration({ folder, port, socket, files, repositories, backend }: Places): string {
  const temporary = ['client_body', 'fastcgi', 'proxy', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${folder}/temporary/${name};`)
    .join('\n')
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 2;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 512; }
http {
  access_log off;
  sendfile on;
  client_max_body_size 0;
  client_body_buffer_size 1m;
${temporary}
  server {
    listen 127.0.0.1:${port};
    location /dav/ {
      root ${files};
      dav_methods PUT DELETE;
    }
    location ~ ^/git(/.*)$ {
      fastcgi_pass unix:${socket};
      fastcgi_read_timeout 600;
      fastcgi_buffering off;
      fastcgi_param SCRIPT_FILENAME ${backend};
      fastcgi_param GIT_PROJECT_ROOT ${repositories};
      fastcgi_param GIT_HTTP_EXPORT_ALL "";
      fastcgi_param PATH_INFO $1;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_USER bench;
      fastcgi_param REMOTE_ADDR $remote_addr;
      fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
    }
  }
}
`
}

async function waitForPort(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`)
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await pause(50)
  }
}

async function end(child: ChildProcess, isGroup = false): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  if (isGroup && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
  else child.kill('SIGTERM')
  await exited
}
