#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Make the initial file system of the machine in the machine, and unpack the kernel, which takes
# it longer there.
#
#   guest.sh RELEASE KERNEL OUTPUT	into OUTPUT/guest.gz and OUTPUT/vmlinux
set -euo pipefail

release=$1
kernel=$2
output=$3
here=$(cd "$(dirname "$0")" && pwd)

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,lib,proc,sys,dev}
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$here/guest_init" "$root/init"
chmod +x "$root/init"
# the kernel's own, not ours: the guest knows nothing of vDPA
for name in virtio_pci virtio_net virtio_blk; do
	PATH=$PATH:/sbin:/usr/sbin modprobe -d "$kernel" -S "$release" \
		--show-depends "$name" | sed -n 's/^insmod //p'
done | awk '!seen[$1]++ { print $1 }' | while read -r file; do
	base=$(basename "$file" .xz)
	case $file in
	*.xz) xz -dc "$file" >"$root/lib/$base" ;;
	*) cp "$file" "$root/lib/$base" ;;
	esac
	echo "$base" >>"$root/lib/order"
done

mkdir -p "$output"
(cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 >"$output/guest.gz"

tree=$(cd "$here/../../.." && pwd)/build/tree
"$here/../overlay/prepare.sh" "$tree"
"$tree/scripts/extract-vmlinux" "$kernel/boot/vmlinuz-$release" >"$output/vmlinux"
