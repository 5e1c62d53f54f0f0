#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kselftest programs and the unmodified clients.
#
#   selftests.sh build	build the programs into build/selftests/
#   selftests.sh tools	build what "make demo" needs of them
#   selftests.sh run_PART	run a part on the distribution's kernel in the virtual machine
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

# the sample of a process, with nothing of the selftests'
sample() {
	${CC:-gcc} -std=gnu11 -O2 -Wall -Wextra -Werror -isystem build/uapi \
		-o build/selftests/vhost_rng samples/vdpa/vhost_rng.c
}

build() { harness && compile && sample; }
tools() { compile tools; }

source tools/testing/vm/ended.sh

# machine NAME SECONDS SCRIPT ARGUMENT...: results under build/vm/NAME
machine() {
	local name=$1 limit=$2
	shift 2

	tools/testing/vm/run.sh -k "$release" -t "$limit" -o "build/vm/$name" -- "$@"
	ended "$name" $?
}

# unmodified tools and drivers
run_tools() {
	tools/net/ynl.sh || return
	machine clients 240 tools/testing/vm/clients.sh
}

# what documents say of them, every request, and the same in other ways
run_more_tools() {
	tools/net/ynl.sh || return
	machine examples 360 tools/testing/vm/examples.sh
	machine ynl 120 tools/testing/vm/ynl.sh
	machine sample 120 tools/testing/vm/sample.sh
	machine udev 120 tools/testing/vm/udev.sh
	tools/testing/vm/newer.sh build/newer &&
		machine clients-newest-tool 240 tools/testing/vm/clients_newest.sh
	machine disks 300 tools/testing/vm/clients_disks.sh
	machine pair 300 tools/testing/vm/clients_pair.sh
	machine slices 500 tools/testing/vm/slices.sh
	machine unload 400 tools/testing/vm/unload.sh
}

# the programs, with a way in which maps reach a parent
run_va() { machine va 900 tools/testing/vm/kselftests.sh va; }
run_pinned() { machine pinned 900 tools/testing/vm/kselftests.sh pinned use_va=0; }

run_pinned_dma_map() {
	machine pinned-dma-map 900 tools/testing/vm/kselftests.sh pinned-dma-map \
		use_va=0 batch_mapping=0
}

"${1:?build, tools or run_...}"
