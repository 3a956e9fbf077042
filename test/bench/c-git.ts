/** What Holdfast is measured against: C git's `git http-backend` behind nginx and fcgiwrap, and nginx alone for files. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { git, run } from '../support/git.ts'
import { findFreePort } from '../support/ports.ts'
import { openCpuAccount } from './cpu-account.ts'
import type { Processes } from './processes.ts'

export interface CGit {
  /** Files that one may PUT and GET lie under `<url>/dav/`. */
  url: string
  processes: Processes
  /** Takes in a copy of a bare repository with its bitmaps and commit-graph, or an empty one; returns its address. */
  addRepository(from: string | undefined, name: string, options?: RepositoryOptions): Promise<string>
  removeRepository(name: string): void
  stop(): Promise<void>
}

export interface RepositoryOptions {
  /** Checks what is pushed as Holdfast does: transfer.fsckObjects. */
  checksObjects?: boolean
}

/** Processes of fcgiwrap: each answers one request at a time. */
const workerCount = 16

export async function startCGit(folder: string): Promise<CGit> {
  const port = await findFreePort()
  const socket = join(folder, 'fcgiwrap.socket')
  const files = join(folder, 'files')
  const repositories = join(folder, 'repositories')
  for (const name of ['files/dav', 'repositories', 'temporary']) mkdirSync(join(folder, name), { recursive: true })
  const backend = join((await run('git', ['--exec-path'])).stdout.trim(), 'git-http-backend')
  writeFileSync(join(folder, 'nginx.conf'), nginxConfiguration({ folder, port, socket, files, repositories, backend }))

  const env = { PATH: `${process.env.PATH}:/usr/sbin:/sbin`, HOME: folder }
  const account = openCpuAccount()
  // A group of its own: fcgiwrap leaves its children behind when it is told to stop.
  const wrapArgs = ['-c', String(workerCount), '-s', `unix:${socket}`]
  const wrap = spawn(...account.command('fcgiwrap', wrapArgs), { env, stdio: 'ignore', detached: true })
  const nginx = spawn(...account.command('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')]), {
    env,
    stdio: 'inherit',
  })
  await waitForPort(port, nginx)
  return {
    url: `http://127.0.0.1:${port}`,
    processes: { pids: () => [wrap.pid ?? 0, nginx.pid ?? 0], cpuSeconds: account.cpuSeconds },
    async addRepository(from, name, { checksObjects = false } = {}) {
      const to = join(repositories, `${name}.git`)
      if (from === undefined) await git(folder, 'init', '--quiet', '--bare', to)
      else cpSync(from, to, { recursive: true })
      for (const setting of settings) await git(to, 'config', ...setting)
      if (checksObjects) await git(to, 'config', 'transfer.fsckObjects', 'true')
      return `http://127.0.0.1:${port}/git/${name}.git`
    },
    removeRepository: (name) => rmSync(join(repositories, `${name}.git`), { recursive: true }),
    async stop() {
      await end(nginx)
      await end(wrap, true)
      await account.close()
    },
  }
}

/** Git's defaults but for these: so it checks no object that is pushed, and syncs no small push to the disk. */
const settings = [
  ['http.receivepack', 'true'],
  ['uploadpack.allowFilter', 'true'],
  ['uploadpack.allowAnySHA1InWant', 'true'],
  ['receive.autogc', 'false'],
]

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
