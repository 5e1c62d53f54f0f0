#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: modules are removed in every kind of order, with devices bound to both bus
# drivers and one open. A removal is refused, or clean; what is left goes in the end.
#
#   unload.sh [parameter of vdpa_sim...]
set -uo pipefail

source tools/testing/vm/lib.sh

suite=unload
export PATH=$PWD/build/selftests:$PATH
ulimit -l unlimited
orders=8

# mixed SEED: the modules in another order
mixed() { tr ' ' '\n' <<<"$vdpa_modules" | shuf --random-source=<(yes "$1"); }

loaded() { [ -d "/sys/module/$1" ]; }

one_order() {
	local seed=$1 module worker refused=0 gone=0 pass
	shift
	load_modules "$@" && vdpa dev add name u-net mgmtdev vdpasim_net &&
		vdpa dev add name u-blk mgmtdev vdpasim_blk &&
		vdpa dev add name u-disk mgmtdev vdpasim_blk || return 1
	bind_to u-net vhost_vdpa && bind_to u-blk vhost_vdpa && bind_to u-disk virtio_vdpa || return 1
	traffic net u-net || return 1
	# a file that nobody does anything with keeps no device, but its module's code
	exec 8<>"/dev/$(basename /sys/bus/vdpa/devices/u-blk/vhost-vdpa-*)"
	for module in $(mixed "$seed"); do
		if rmmod "$module" 2>/dev/null; then gone=$((gone + 1)); else refused=$((refused + 1)); fi
	done
	exec 8>&-
	# whether or not its device is still there
	kill $worker 2>/dev/null
	wait $worker
	for pass in 1 2 3 4 5 6 7; do
		for module in $vdpa_modules; do
			! loaded "$module" || rmmod "$module" 2>/dev/null
		done
	done
	for module in $vdpa_modules; do
		! loaded "$module" || { echo "$module stays"; return 1; }
	done
	echo "order $seed: $gone removed, $refused refused"
}

all_orders() {
	local seed
	for seed in $(seq $orders); do one_order "$seed" "$@" || return 1; done
}

test_case "modules in $orders orders" all_orders "$@"
