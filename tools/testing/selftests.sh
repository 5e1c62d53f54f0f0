#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kselftest programs and the unmodified clients.
#
#   selftests.sh build	build the programs into build/selftests/
#   selftests.sh run	run all of it on the distribution's kernel in the virtual
#			machine, once for every way in which maps reach a parent
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top" || exit 1
release=${KVER:-$(tools/build/kver.sh)}

# The harness is a header of the kernel's sources; ours to use, not to copy.
harness() {
	local dir=$top/build/kselftest
	local tarball

	[ -e "$dir/kselftest_harness.h" ] && return
	tarball=$(printf '%s\n' /usr/src/linux-source-6.12*.tar.xz | sort -V | tail -n 1)
	mkdir -p "$dir"
	tar -xf "$tarball" -C "$dir" --strip-components=4 --wildcards \
		'*/tools/testing/selftests/kselftest.h' \
		'*/tools/testing/selftests/kselftest_harness.h'
}

# UAPI headers of the kernel under test, as "make headers_install" would give them.
# The C library's own are of an older kernel.
uapi() {
	local dir=$top/build/uapi/linux header
	local headers=/usr/src/linux-headers-${release%-*}-common
	local install=/usr/src/linux-headers-$release/scripts

	mkdir -p "$dir"
	for header in vhost vhost_types virtio_blk virtio_net virtio_config virtio_ring virtio_ids; do
		[ "$dir/$header.h" -nt "$headers/include/uapi/linux/$header.h" ] ||
			(cd "$install/.." && scripts/headers_install.sh \
				"$headers/include/uapi/linux/$header.h" "$dir/$header.h") ||
			return
	done
	for header in include/uapi/linux/*.h; do
		cmp -s "$header" "$dir/$(basename "$header")" || cp "$header" "$dir/"
	done
}

compile() {
	uapi && make -s -C tools/testing/selftests/vdpa -j"$(nproc)" \
		OUTPUT="$top/build/selftests" KSELFTEST_DIR="$top/build/kselftest" \
		UAPI="$top/build/uapi" "$@"
}

build() { harness && compile; }
tools() { compile tools; }

# machine NAME SECONDS SCRIPT ARGUMENT...: results under build/vm/NAME
machine() {
	local name=$1 limit=$2 status
	shift 2

	tools/testing/vm/run.sh -k "$release" -t "$limit" -o "build/vm/$name" -- "$@"
	status=$?
	if [ $status -eq 0 ]; then
		echo "ok $name: machine ended well, kernel log clean"
	else
		echo "not ok $name: machine ended with status $status"
	fi
}

run() {
	tools/net/ynl.sh || return
	machine clients 180 tools/testing/vm/clients.sh
	machine clients-pinned 180 tools/testing/vm/clients.sh use_va=0
	machine pair 240 tools/testing/vm/clients_pair.sh
	machine pair-pinned 240 tools/testing/vm/clients_pair.sh use_va=0
	machine disks 240 tools/testing/vm/clients_disks.sh
	machine va 600 tools/testing/vm/kselftests.sh va
	machine pinned 600 tools/testing/vm/kselftests.sh pinned use_va=0
	machine pinned-dma-map 600 tools/testing/vm/kselftests.sh pinned-dma-map \
		use_va=0 batch_mapping=0
}

"${1:?build, tools or run}"
