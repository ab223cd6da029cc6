#!/usr/bin/env bash
# Prints the folder of a go command that is new enough to build Kubernetes. Where the machine has none, Debian's older one
# fetches the toolchain as what it is to Go: a module. Needs root only where Debian's is to be installed.
set -euo pipefail

wanted=1.26.8
oldest=25
is_new() { "$1" version 2>/dev/null | grep -Eq "go1\.($oldest|2[6-9]|[3-9][0-9])[. ]"; }

if command -v go >/dev/null && is_new go; then
  dirname "$(command -v go)"
  exit 0
fi
cache="${IOPS_LIMIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/iops-limit}"
tools="$cache/go-$wanted"
mkdir -p "$cache"
# Several may ask at the same time: one installs, the others find it done.
exec 9>"$cache/go.lock"
flock 9
if [ ! -x "$tools/bin/go" ]; then
  if ! command -v go >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 golang-go >&2
  fi
  module="golang.org/toolchain@v0.0.1-go$wanted.linux-$(dpkg --print-architecture)"
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  cd "$work"
  folder="$(GOTOOLCHAIN=local go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')"
  cp -R "$folder" "$work/go"
  chmod -R u+w "$work/go"
  # The module's archive keeps no modes.
  find "$work/go/bin" "$work/go/pkg/tool" -type f -exec chmod 755 {} +
  rm -rf "$tools"
  mv "$work/go" "$tools"
fi
printf '%s\n' "$tools/bin"
