#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: devices that lie, each in its own way, are given to the kernel's virtio drivers,
# used as far as they can be, and taken away. Nothing is expected of them but that they go, and
# that the kernel does not complain.
#
#   liars.sh SECONDS SEED	a kernel without modules has the seed already
set -uo pipefail

source tools/testing/vm/lib.sh

suite=liars
seconds=$1 seed=$2
declare -A taken=() used=()

# what a driver has made something of is tried; that may fail, but ends
use_net() {
	local interface
	interface=$(net_of "$1") || return 1
	ip link set "$interface" up || return 1
	busybox arping -q -D -c 2 -w 1 -I "$interface" 10.9.0.1
	ip link set "$interface" down
}

use_blk() {
	local disk=/dev/$(block_of "$1")
	dd if="$disk" of=/dev/null bs=64k count=8 iflag=direct
	dd if=/dev/zero of="$disk" bs=4k count=4 oflag=direct
}

rng_of() { ls -d "/sys/bus/vdpa/devices/$1/"virtio*; }

use_rng() { timeout 1 head -c 64 /dev/hwrng; }

# one CLASS NUMBER
one() {
	local name=l-$1-$2
	vdpa dev add name "$name" mgmtdev "vdpa_liar_$1" || return 1
	vdpa dev config show "$name"
	bind_to "$name" virtio_vdpa && "${1/blk/block}_of" "$name" &&
		taken[$1]=$((${taken[$1]:-0} + 1)) &&
		timeout 20 bash -c "$(declare -f "use_$1" net_of block_of); use_$1 $name" &&
		used[$1]=$((${used[$1]:-0} + 1))
	vdpa dev show "$name"
	timeout 30 vdpa dev del "$name" || { echo "$name stays"; return 1; }
}

all() {
	local number=0 class end=$((SECONDS + seconds))
	while [ $SECONDS -lt $end ]; do
		for class in net blk rng; do
			one "$class" "$number" >/run/liar 2>&1 || { cat /run/liar; return 1; }
		done
		number=$((number + 1))
	done
	for class in net blk rng; do
		echo "# seed $seed: $number $class, ${taken[$class]:-0} taken by their driver," \
			"${used[$class]:-0} of use" >&3
	done
	[ ${#taken[@]} -gt 0 ] || { echo "no driver took any"; return 1; }
}

exec 3>&1
load_modules || exit 1
if [ -e /proc/modules ]; then
	modprobe virtio-rng && modprobe vdpa_liar seed="$seed" || exit 1
fi
test_case "each goes, and the kernel says nothing" all
[ ! -e /proc/modules ] || rmmod vdpa_liar
unload_modules
