#!/usr/bin/env bash
# Where no Docker engine is at hand: carries out the Dockerfile's own steps, read from the Dockerfile, in a clean Debian
# root, then starts the result as its user and makes a first clone and push. Needs root, and Debian's debootstrap.
#
# Instructions known: FROM [AS], WORKDIR, COPY [--from], RUN, ENV, USER, ENTRYPOINT, CMD, HEALTHCHECK, VOLUME, EXPOSE; any
# other one fails. The base image node:24-bookworm-slim is stood in for by a minimal Debian bookworm with what that image adds:
# /usr/local/bin/node and npm (here from the npm packages `node` of the checkout and `npm`) and the user `node`, id 1000.
# What it does not prove: .dockerignore, and that the base image can be had.
set -euo pipefail

[ "$(id -u)" = 0 ] || { echo "dockerfile-in-root.sh needs root" >&2; exit 1; }
# Mounts of our own name space are gone when we are, whatever happens.
[ "${HOLDFAST_UNSHARED:-}" = yes ] || HOLDFAST_UNSHARED=yes exec unshare --mount --propagation private "$0" "$@"

context=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d /var/tmp/holdfast-image.XXXXXX)
server=
finish() {
  [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
  for mounted in "$work"/root-*/proc "$work"/root-*/etc/ssl/certs "$work"/root-*/dev/shm; do
    umount --lazy "$mounted" 2>/dev/null || true
  done
  rm -rf --one-file-system "$work"
}
trap finish EXIT
step() { printf '\n== %s\n' "$*"; }

command -v debootstrap >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends debootstrap >/dev/null; }

step "The base: Debian bookworm, node, npm, user node"
base=$work/base
mirror=$(apt-cache policy | grep -oE 'https?://[^ ]+ bookworm/main' | head -1 | cut -d' ' -f1)
debootstrap --variant=minbase bookworm "$base" ${mirror:+"$mirror"} >"$work/debootstrap.log" 2>&1 || { tail -20 "$work/debootstrap.log"; exit 1; }
install -m 755 "$(readlink -f "$context/node_modules/node/bin/node")" "$base/usr/local/bin/node"
npm install --silent --global --prefix "$base/usr/local" npm@11
chroot "$base" groupadd --gid 1000 node
chroot "$base" useradd --uid 1000 --gid node --shell /bin/bash --create-home node
cp /etc/resolv.conf "$base/etc/resolv.conf"

enter() { # root: what a container has beside its files
  mount -t proc proc "$1/proc"
  mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm" 2>/dev/null || chmod 1777 "$1/dev/shm"
  # The certificates that this machine reaches its package registry with.
  mkdir -p "$1/etc/ssl/certs"
  [ ! -d /etc/ssl/certs ] || mount --bind -o ro /etc/ssl/certs "$1/etc/ssl/certs"
}

declare -a environment
in_place= # `exec`: the command takes the place of this shell, so that its process id is the shell's
in_root() { # user, command...: with the environment, and in the folder, that the Dockerfile has set so far
  local user=$1
  shift
  $in_place chroot --userspec="$user" "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME="$([ "$user" = root ] && echo /root || echo /home/node)" "${environment[@]}" \
    /bin/sh -c 'cd "$0" && exec "$@"' "$workdir" "$@"
}
registry_environment() { # how this machine's npm reaches its registry; in a docker build this is a matter of the engine
  local name value
  for name in cafile registry https-proxy proxy; do
    value=$(npm config get "$name" 2>/dev/null)
    case $value in null | undefined | '') ;; *) printf 'npm_config_%s=%s\n' "${name//-/_}" "$value" ;; esac
  done
  [ -z "${NODE_EXTRA_CA_CERTS:-}" ] || echo "NODE_EXTRA_CA_CERTS=$NODE_EXTRA_CA_CERTS"
}
mapfile -t registry < <(cd / && registry_environment)
json_words() { node -e 'for (const word of JSON.parse(process.argv[1])) process.stdout.write(word + "\0")' "$1"; }

copy() { # [--from=stage] sources... target
  local from=$context words=("$@") target sources
  if [[ ${words[0]} == --from=* ]]; then
    from=$work/root-${words[0]#--from=}
    words=("${words[@]:1}")
  fi
  target=${words[-1]}
  [[ $target = /* ]] || target=$workdir/$target
  sources=("${words[@]:0:${#words[@]}-1}")
  for source in "${sources[@]}"; do
    if [ -d "$from/$source" ]; then
      mkdir -p "$root$target" && cp -a "$from/$source/." "$root$target/"
    else
      mkdir -p "$root$target" && cp -a "$from/$source" "$root$target/"
    fi
    [[ $from != "$context" ]] || chown -R root:root "$root$target"
  done
}

stage=0
while IFS= read -r line <&3; do
  read -r instruction rest <<<"$line" || true
  case $instruction in
    '' | '#'*) continue ;;
    FROM)
      read -r image as name <<<"$rest"
      [ "$image" = node:24-bookworm-slim ] || { echo "unknown base $image" >&2; exit 1; }
      step "$line"
      root=$work/root-${name:-$stage} stage=$((stage + 1)) workdir=/ user=root environment=() healthcheck=()
      [ -z "$as" ] || [ "$as" = AS ]
      cp -a "$base" "$root"
      enter "$root"
      ;;
    WORKDIR) step "$line"; workdir=$rest; mkdir -p "$root$workdir" ;;
    # shellcheck disable=SC2086
    COPY) step "$line"; copy $rest ;;
    RUN)
      step "$line"
      previous=("${environment[@]}")
      environment+=("${registry[@]}")
      in_root "$user" /bin/sh -c "$rest"
      environment=("${previous[@]}")
      ;;
    # shellcheck disable=SC2206
    ENV) step "$line"; environment+=($rest) ;;
    USER) user=$rest ;;
    ENTRYPOINT) mapfile -d '' -t entrypoint < <(json_words "$rest") ;;
    CMD) mapfile -d '' -t arguments < <(json_words "$rest") ;;
    HEALTHCHECK) mapfile -d '' -t healthcheck < <(json_words "${rest#*CMD }") ;;
    VOLUME | EXPOSE) ;;
    *) echo "unknown instruction: $line" >&2; exit 1 ;;
  esac
done 3< <(sed -e ':join' -e '/\\$/{N;s/\\\n//;b join' -e '}' "$context/Dockerfile")

step "Start as $user: ${entrypoint[*]} ${arguments[*]}"
[ "$user" != root ]
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
environment+=("PORT=$port" "HOST=127.0.0.1" "PUBLIC_URL=http://127.0.0.1:$port")
in_place=exec in_root "$user:$user" "${entrypoint[@]}" "${arguments[@]}" >"$work/server.log" 2>&1 &
server=$!
healthy() { in_root "$user:$user" "${healthcheck[@]}" 2>/dev/null; }
for _ in $(seq 120); do
  healthy && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.5
done
healthy || { echo "The server did not become healthy:" >&2; cat "$work/server.log" >&2; exit 1; }

step "First clone and push"
in_root "$user:$user" holdfast user create ada >/dev/null
token=$(in_root "$user:$user" holdfast token create ada --role write)
in_root "$user:$user" holdfast repo create model ada/first
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_TERMINAL_PROMPT=0
url=http://ada:$token@127.0.0.1:$port/ada/first
git clone -q "$url" "$work/clone"
git -C "$work/clone" lfs install --local >/dev/null
git -C "$work/clone" lfs track '*.safetensors' >/dev/null
head -c 3000000 /dev/urandom >"$work/clone/model.safetensors"
echo '# A model' >"$work/clone/README.md"
git -C "$work/clone" add -A
git -C "$work/clone" -c user.name=Ada -c user.email=ada@example.org commit -qm 'Add a model'
git -C "$work/clone" push -q origin HEAD:refs/heads/main
git -c filter.lfs.smudge='git-lfs smudge -- %f' -c filter.lfs.process='git-lfs filter-process' -c filter.lfs.required=true \
  clone -q "$url" "$work/again"
cmp "$work/clone/model.safetensors" "$work/again/model.safetensors"
git -C "$work/again" fsck --strict

step "Stop"
kill "$server"
wait "$server" || { echo "The server did not stop cleanly" >&2; cat "$work/server.log" >&2; exit 1; }
server=
echo "The image's steps end in a server that was cloned from and pushed to."
