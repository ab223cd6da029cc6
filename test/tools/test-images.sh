#!/usr/bin/env bash
# Makes the images that the machine's pods need beside ours, as docker-archives:
#   test/tools/test-images.sh FOLDER      FOLDER/pause.tar (the sandbox), FOLDER/fio.tar (busybox and fio)
# Needs root, buildah, busybox (static) and fio.
set -euo pipefail
folder="$(realpath "$1")"
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/root/bin" "$work/root/tmp"
cp "$(command -v busybox)" "$work/root/bin/busybox"
for applet in sh sleep cat dd ls; do ln -s busybox "$work/root/bin/$applet"; done

pack() { # NAME ENTRYPOINT-AS-JSON
  local container
  container="$(buildah from scratch)"
  buildah add --quiet "$container" "$work/root" / >/dev/null
  buildah config --entrypoint "$2" --env PATH=/bin "$container"
  rm -f "$folder/$1.tar"
  buildah commit --quiet --rm "$container" "docker-archive:$folder/$1.tar:test.local/$1:1" >/dev/null
}

pack pause '["/bin/sh", "-c", "trap \"exit 0\" TERM INT; while :; do sleep 3600 & wait $!; done"]'
fio="$(command -v fio)"
ldd "$fio" | grep -o '/[^ ]*' | while read -r library; do cp --parents -L "$library" "$work/root"; done
cp "$fio" "$work/root/bin/fio"
pack fio '["/bin/sh", "-c", "trap \"exit 0\" TERM INT; while :; do sleep 3600 & wait $!; done"]'
