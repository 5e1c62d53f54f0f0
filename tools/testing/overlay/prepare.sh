#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Lay this repository over a kernel tree: the distribution's sources of 6.12, without
# the vDPA subsystem that is in them, and ours in its place.
#
#   prepare.sh TREE
#
# The stock sources are never unpacked, so nothing of theirs can be built or linked.
# Files that must know of ours are changed by the patches beside this script. Run it
# again after a change: only what differs is copied.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
tree=$1
tarball=$(printf '%s\n' /usr/src/linux-source-6.12*.tar.xz | sort -V | tail -n 1)

# one at a time: tests run side by side
mkdir -p "$(dirname "$tree")"
exec {lock}>"$tree.lock"
flock "$lock"

# unpacked and patched once for each version of the package and of the patches
stamp=$(stat -c '%n %s %Y' "$tarball"; cat "$here"/*.patch)
if [ "$(cat "$tree/.overlay" 2>/dev/null)" != "$stamp" ]; then
	rm -rf "$tree"
	mkdir -p "$tree"
	tar -xf "$tarball" -C "$tree" --strip-components=1 \
		--exclude='*/drivers/vdpa' \
		--exclude='*/drivers/vhost/vdpa.c' \
		--exclude='*/drivers/vhost/vringh.c' \
		--exclude='*/drivers/virtio/virtio_vdpa.c' \
		--exclude='*/include/linux/vdpa.h' \
		--exclude='*/include/uapi/linux/vdpa.h'
	for patch in "$here"/*.patch; do
		patch -s -p1 -d "$tree" <"$patch"
	done
	printf '%s\n' "$stamp" >"$tree/.overlay"
fi

for part in drivers include Documentation samples tools/testing/selftests; do
	mkdir -p "$tree/$part"
	rsync -rl --checksum "$top/$part/" "$tree/$part/"
done
# what we removed since must go there too
for dir in drivers/vdpa drivers/vhost/vdpa samples/vdpa tools/testing/selftests/vdpa \
	Documentation/{admin-guide,driver-api,userspace-api}/vdpa; do
	rsync -rl --checksum --delete "$top/$dir/" "$tree/$dir/"
done
