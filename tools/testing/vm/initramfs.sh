#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Make the initial file system that mounts the host's / and goes there.
#
#   initramfs.sh RELEASE KERNEL OUTPUT
set -euo pipefail

release=$1
kernel=$2
output=$3
here=$(cd "$(dirname "$0")" && pwd)
modules=$kernel/lib/modules/$release

mkdir -p "$(dirname "$output")"
# one at a time: tests run side by side
exec {lock}>"$output.lock"
flock "$lock"
if [ -e "$output" ] && [ "$output" -nt "$here/init" ] &&
   [ "$output" -nt "$0" ] && [ "$output" -nt "$modules/modules.builtin" ]; then
	exit
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,lib,proc,sys,dev,mnt}
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$here/init" "$root/init"
chmod +x "$root/init"
: >"$root/lib/order"

# in the order in which modprobe would load them; compressed ones are unpacked
for name in 9pnet_virtio 9p overlay; do
	PATH=$PATH:/sbin:/usr/sbin modprobe -d "$kernel" -S "$release" \
		--show-depends "$name" | sed -n 's/^insmod //p'
done | awk '!seen[$1]++ { print $1 }' | while read -r file; do
	base=$(basename "$file")
	case $file in
	*.xz) xz -dc "$file" >"$root/lib/${base%.xz}"; base=${base%.xz} ;;
	*) cp "$file" "$root/lib/$base" ;;
	esac
	echo "$base" >>"$root/lib/order"
done

mkdir -p "$(dirname "$output")"
(cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 >"$output.tmp"
mv "$output.tmp" "$output"
