#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Real clients of /dev/vhost-vdpa-N, unmodified, each in a machine of its own: DPDK's
# testpmd, libblkio, and QEMU with a guest that does input and output. Once for every way in
# which maps reach a parent.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
cd "$top" || exit 1
release=${KVER:-$(tools/build/kver.sh)}
kernel=$top/build/kernel/$release

# machine NAME SECONDS SCRIPT ARGUMENT...
machine() {
	local name=$1 limit=$2
	shift 2

	tools/testing/vm/run.sh -k "$release" -m 3072 -t "$limit" -o "build/vm/$name" -- "$@" ||
		echo "not ok $name: machine ended with status $?"
}

tools/testing/vm/newer.sh build/newer || { echo "not ok clients: no recent ones"; exit 1; }
machine blkio 120 "$here/blkio.sh" "$top/build/newer/bin/blkio_check"
for model in "" "use_va=0" "use_va=0 batch_mapping=0"; do
	# shellcheck disable=SC2086 # words
	machine "dpdk${model:+-${model// /-}}" 180 "$here/dpdk.sh" $model
done

qemu=$top/build/newer/bin/qemu-system-x86_64
"$here/guest.sh" "$release" "$kernel" build/guest
for model in "" "use_va=0"; do
	# shellcheck disable=SC2086 # words
	machine "qemu${model:+-$model}" 400 "$here/nested.sh" "$qemu" \
		"$top/build/guest/vmlinux" "$top/build/guest/guest.gz" $model
done
