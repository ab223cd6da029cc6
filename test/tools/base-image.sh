#!/usr/bin/env bash
# Makes a stand-in for the base image of our Dockerfiles where no registry can be asked: Debian by debootstrap, Node and
# npm from npm packages. It is put into buildah's local storage under the base image's own name, which is printed.
# Needs root, debootstrap, buildah and npm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
base="$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile.webhook)"
name="docker.io/library/$base"
if buildah inspect --type image "$name" >/dev/null 2>&1; then
  printf '%s\n' "$name"
  exit 0
fi
say() { printf '%s\n' "$*" >&2; }

cache="${IOPS_LIMIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/iops-limit}"
mkdir -p "$cache"
debian="$cache/debian-bookworm.tar"
mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
if [ ! -e "$debian" ]; then
  say 'base image: debootstrap'
  debootstrap --variant=minbase --include=ca-certificates bookworm "$work/debian" "$mirror" >"$work/log" 2>&1 ||
    { tail -n 20 "$work/log" >&2; exit 1; }
  rm -rf "$work"/debian/var/cache/apt/archives/*.deb "$work"/debian/var/lib/apt/lists/*
  tar -C "$work/debian" --one-file-system -cf "$work/debian.tar" .
  mv "$work/debian.tar" "$debian"
fi

say "base image: $name"
mkdir -p "$work/node/usr/local/bin" "$work/node/usr/local/lib/node_modules"
install -m 755 node_modules/node/bin/node "$work/node/usr/local/bin/node"
(cd "$work" && npm pack --silent npm@11 >/dev/null && tar -xzf npm-*.tgz)
mv "$work/package" "$work/node/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/node/usr/local/bin/npm"
chmod +x "$work/node/usr/local/lib/node_modules/npm/bin/npm-cli.js"
container="$(buildah from scratch)"
buildah add --quiet "$container" "$debian" / >/dev/null
buildah add --quiet "$container" "$work/node" / >/dev/null
buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
buildah commit --quiet --rm "$container" "$name" >/dev/null
printf '%s\n' "$name"
