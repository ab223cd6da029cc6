#!/usr/bin/env bash
# Builds the Kubernetes binaries that the cluster suites run, from the Go module, and prints the directory that holds
# them: what KUBEBUILDER_ASSETS names. Built once a version; nothing in the project's own tree is touched.
#   test/tools/kubernetes.sh [BINARY...]      all of them if none is named
set -euo pipefail

version=1.35.4
cache="${IOPS_LIMIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/iops-limit}"
assets="$cache/kubernetes-$version"
binaries=("$@")
[ $# -gt 0 ] || binaries=(kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet)

say() { printf '%s\n' "$*" >&2; }

wanted=()
for binary in "${binaries[@]}"; do
  [ -x "$assets/$binary" ] || wanted+=("$binary")
done
if [ ${#wanted[@]} -gt 0 ]; then
  PATH="$("$(dirname "${BASH_SOURCE[0]}")/go.sh"):$PATH"
  mkdir -p "$assets"
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  cd "$work"
  say "building ${wanted[*]} of Kubernetes $version (minutes, once)"
  # Kubernetes' own go.mod points its staging modules at folders; from outside, each has a version of its own.
  go mod download -json "k8s.io/kubernetes@v$version" >module.json
  kubernetes_mod="$(sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p' module.json)"
  {
    printf 'module assets\n\ngo 1.25.0\n\nrequire k8s.io/kubernetes v%s\n\nreplace (\n' "$version"
    sed -n 's#^\t\(k8s\.io/[a-z0-9-]*\) => \./staging/.*#\1#p' "$kubernetes_mod" |
      sed "s#.*#\t& => & v0.${version#1.}#"
    printf ')\n'
  } >go.mod
  # Without the versions in the binary, `kubectl version` and the API's discovery tell v0.0.0.
  flags="-s -w"
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=v$version -X $package.gitMajor=1 -X $package.gitMinor=${version:2:2}"
  done
  printf '//go:build tools\n\npackage assets\n\nimport (\n' >tools.go
  printf '\t_ "k8s.io/kubernetes/cmd/%s"\n' "${wanted[@]}" >>tools.go
  printf ')\n' >>tools.go
  GOFLAGS=-mod=mod go mod tidy >tidy.log 2>&1 || { cat tidy.log >&2; exit 1; }
  for binary in "${wanted[@]}"; do
    CGO_ENABLED=0 go build -trimpath -ldflags "$flags" -o "$assets/.$binary" "k8s.io/kubernetes/cmd/$binary" >&2
    mv "$assets/.$binary" "$assets/$binary"
  done
fi
printf '%s\n' "$assets"
