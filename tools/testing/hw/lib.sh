#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For scripts that run in a machine with functions of the PCI bus behind an IOMMU. Sourced.

source tools/testing/vm/lib.sh

export PATH=$PWD/build/selftests:$PATH
pci=/sys/bus/pci/devices

load_parents() {
	local module
	for module in vdpa virtio_vdpa vhost_vdpa vp_vdpa virtio_net virtio_blk virtio_rng; do
		modprobe "$module" || return 1
	done
}

# behind SLOT: the function in the root port of that slot; fails while there is none
behind() {
	local found
	found=$(compgen -G "$pci/0000:00:$1.0/0000:*:00.0") && basename "$found"
}

driver_of() { basename "$(readlink "$pci/$1/driver")"; }
group_of() { basename "$(readlink "$pci/$1/iommu_group")"; }

# take FUNCTION [DRIVER]: give it to vp_vdpa, whoever has it now
take() {
	local driver=${2:-vp_vdpa}
	echo "$driver" >"$pci/$1/driver_override"
	[ -e "$pci/$1/driver" ] && echo "$1" >"$pci/$1/driver/unbind"
	echo "$1" >/sys/bus/pci/drivers_probe
	[ "$(driver_of "$1")" = "$driver" ]
}

# give FUNCTION back to the kernel's driver
give() { echo >"$pci/$1/driver_override"; take "$1" virtio-pci; }

# a virtio device is the child of who does its DMA, which is the function
block_of() { ls "$(readlink -f "/sys/bus/vdpa/devices/$1")/../"virtio*/block; }
net_of() { ls "$(readlink -f "/sys/bus/vdpa/devices/$1")/../"virtio*/net; }

# create NAME FUNCTION DRIVER: a vDPA device that a bus driver has
create() {
	vdpa dev add name "$1" mgmtdev "pci/$2" && bind_to "$1" "$3"
}

# pings DEVICE: the host of the network answers over the device's network interface
pings() {
	local dev
	wait_for net_of "$1" || return 1
	dev=$(net_of "$1")
	ip addr add 10.0.2.15/24 dev "$dev" && ip link set "$dev" up &&
		ping -q -c 5 -i 0.1 -W 3 10.0.2.2
}

# kselftest PROGRAM VARIABLE=VALUE...: each of its tests is one of $suite. Its output goes to
# the shared directory afterwards: that pins pages, which it counts.
kselftest() {
	local program=$1 log=/run/$1.log status
	shift
	env "$@" timeout -k 5 200 "$program" >"$log" 2>&1
	status=$?
	sed -E "s/^((not )?ok) [0-9]+ /\1 $suite: $program /" "$log"
	[ $status -eq 0 ] || grep -q '^not ok' "$log" ||
		echo "not ok $suite: $program ended with status $status"
}

# provision NAME FUNCTION FEATURES: a device that offers just those; iproute2 6.1 cannot say it
provision() {
	ynl dev-new "{\"dev-name\": \"$1\", \"mgmtdev-bus-name\": \"pci\",
		\"mgmtdev-dev-name\": \"$2\", \"dev-features\": $(($3))}"
}

# KiB of slab in use once what only waits to be used again is given back
settled_slab() {
	local cache
	sleep 1
	echo 2 >/proc/sys/vm/drop_caches
	for cache in /sys/kernel/slab/*/shrink; do echo 1 >"$cache"; done
	slab
}

# endures NAME COMMAND: a test in four rounds, $times times in all; the command does each number
# from its first argument to below its second. Afterwards nothing stays pinned, nor is memory
# lost. What is lost is lost in each round: the one in which slab grew least tells it from the
# kernel's caches.
endures() {
	local pins before after round least=
	pins=$(pinned) before=$(settled_slab)
	for round in 1 2 3 4; do
		test_case "$1, round $round" "$2" $((times * (round - 1) / 4)) $((times * round / 4))
		after=$(settled_slab)
		echo "# slab $before KiB before, $after KiB after"
		[ -n "$least" ] && [ "$least" -le $((after - before)) ] || least=$((after - before))
		before=$after
	done
	test_case "nothing stays pinned" [ "$(pinned)" -eq "$pins" ]
	test_case "no memory is lost" [ "$least" -lt $((times * 4)) ]
}

# a line to the emulator's monitor
monitor() {
	local port
	port=$(grep -lx monitor /sys/class/virtio-ports/*/name) &&
		printf '%s\n' "$*" >"/dev/$(basename "$(dirname "$port")")"
}
