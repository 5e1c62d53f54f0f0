#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: a program that uses libblkio, as the documents have it, on a simulated disk.
#
#   blkio.sh PROGRAM
set -uo pipefail

source tools/testing/vm/lib.sh

suite=blkio
program=$1
ulimit -l unlimited

# vhost-read sees the device, and not what the program believes
writes_and_reads() {
	vdpa dev add name b mgmtdev vdpasim_blk && bind_to b vhost_vdpa || return 1
	"$program" "/dev/$(basename /sys/bus/vdpa/devices/b/vhost-vdpa-*)" |
		grep -F "134217728 bytes, 1048576 of them written and read" &&
		build/selftests/vhost-read b 0 1024 >/run/read &&
		python3 -c 'import sys
sys.exit(open("/run/read", "rb").read()[:1024] !=
	 bytes((i * 31 + i // 512) & 255 for i in range(1024)))'
	local status=$?
	vdpa dev del b
	return $status
}

for model in "" "use_va=0" "use_va=0 batch_mapping=0"; do
	# shellcheck disable=SC2086 # words
	load_modules $model || exit 1
	test_case "${model:-va}: writes and reads" writes_and_reads
	unload_modules
done
