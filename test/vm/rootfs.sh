#!/usr/bin/env bash
# Makes the disk of the test's machine: Debian with containerd, a kubelet and a whole control plane, and prints the folder
# that holds disk.img, vmlinuz and initrd.img. Made once a version of this script. Needs root, debootstrap and e2fsprogs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

cache="${IOPS_LIMIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/iops-limit}"
kubernetes="$(test/tools/kubernetes.sh)"
version="$(find test/vm/rootfs.sh test/vm/node -type f | sort | xargs cat | sha256sum | cut -c1-12)"
folder="$cache/vm-$version"
if [ -e "$folder/disk.img" ]; then
  printf '%s\n' "$folder"
  exit 0
fi
say() { printf '%s\n' "$*" >&2; }

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
root="$work/root"
mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)"
packages=(
  linux-image-amd64 systemd-sysv udev dbus kmod iproute2 iptables conntrack ca-certificates
  containerd runc containernetworking-plugins etcd-server openssh-server fio e2fsprogs util-linux procps busybox-static
)
say 'machine: debootstrap'
debootstrap --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" bookworm "$root" "$mirror" >"$work/log" 2>&1 ||
  { tail -n 20 "$work/log" >&2; exit 1; }
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}

say 'machine: configuration'
install -m 755 "$kubernetes"/kube* node_modules/node/bin/node "$root/usr/local/bin/"
cp -a test/vm/node/. "$root/"
chmod 755 "$root"/usr/local/sbin/*
mkdir -p "$work/keys" "$root/root/.ssh" "$root/data" "$root/host"
ssh-keygen -q -t ed25519 -N '' -f "$work/keys/id"
install -m 600 "$work/keys/id.pub" "$root/root/.ssh/authorized_keys"
chmod 700 "$root/root/.ssh"
printf 'node\n' >"$root/etc/hostname"
printf '127.0.0.1 localhost node\n' >"$root/etc/hosts"
printf 'nameserver 10.0.2.3\n' >"$root/etc/resolv.conf"
: >"$root/etc/machine-id"
chroot "$root" make-credentials
chroot "$root" systemctl disable etcd >/dev/null 2>&1
chroot "$root" systemctl enable systemd-networkd containerd ssh cluster-etcd kubelet kube-proxy \
  kube-apiserver kube-controller-manager kube-scheduler >/dev/null 2>&1

say 'machine: disk'
mkdir -p "$work/vm"
cp "$root"/boot/vmlinuz-* "$work/vm/vmlinuz"
cp "$root"/boot/initrd.img-* "$work/vm/initrd.img"
mv "$work/keys/id" "$work/vm/id"
cp "$root/etc/kubernetes/admin.kubeconfig" "$work/vm/kubeconfig"
rm -rf "$root"/boot/*
# Quiet or not, it says on standard output that it makes a file.
mke2fs -q -t ext4 -L root -O '^has_journal' -d "$root" "$work/vm/disk.img" 6G >&2
rm -rf "$folder"
mv "$work/vm" "$folder"
printf '%s\n' "$folder"
