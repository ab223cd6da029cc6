#!/bin/sh
# Lays out the root of an image that holds nothing but Node, the libraries that it is linked to, and dist/.
# Usage: scripts/runtime.sh FOLDER
set -eu
root="$1"
node="$(command -v node)"
mkdir -p "$root/app" "$root/etc" "$root/tmp"
chmod 1777 "$root/tmp"
# The loader looks for its libraries where they are here.
ldd "$node" | grep -o '/[^ ]*' | while read -r library; do cp --parents -L "$library" "$root"; done
install -D -m 755 "$node" "$root/usr/local/bin/node"
printf 'iops-limit:x:65532:65532::/tmp:/nologin\n' >"$root/etc/passwd"
cp -R dist/. LICENSE "$root/app/"
printf '{"type":"module"}\n' >"$root/app/package.json"
