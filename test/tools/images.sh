#!/usr/bin/env bash
# Builds the images from our Dockerfiles, upon the stand-in base image, and writes each as a docker-archive:
#   test/tools/images.sh FOLDER      FOLDER/webhook.tar, FOLDER/enforcer.tar
# Prints the size of each. Needs what base-image.sh needs.
set -euo pipefail
folder="$(realpath "$1")"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
test/tools/base-image.sh >/dev/null
# The machine's own settings hold inside the build too: where npm finds packages, and whose certificates it trusts.
settings="$(mktemp -d)"
trap 'rm -rf "$settings"' EXIT
cat "$HOME/.npmrc" >"$settings/npmrc" 2>/dev/null || true
volumes=(--volume "$settings/npmrc:/root/.npmrc:ro")
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
  printf '\ncafile=/etc/ssl/certs/ca-certificates.crt\n' >>"$settings/npmrc"
  volumes+=(--volume /etc/ssl/certs/ca-certificates.crt:/etc/ssl/certs/ca-certificates.crt:ro)
fi
for program in webhook enforcer; do
  tag="docker.io/library/iops-limit-$program:test"
  log="$(mktemp)"
  buildah build --pull-never --network host "${volumes[@]}" -f "Dockerfile.$program" -t "$tag" . >"$log" 2>&1 ||
    { tail -n 40 "$log" >&2; rm -f "$log"; exit 1; }
  # What the build itself printed: the bundles, and the whole.
  grep -E '^[0-9.]+[KMG]\s+/runtime' "$log" | sed "s/^/iops-limit-$program: /"
  rm -f "$log" "$folder/$program.tar"
  buildah push --quiet "$tag" "docker-archive:$folder/$program.tar:$tag"
done
