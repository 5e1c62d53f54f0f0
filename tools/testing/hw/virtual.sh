#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: virtual functions of a network card whose physical function stays with the
# kernel's driver. They are created and removed under load, and are of no use to each other's
# owners.
#
#   virtual.sh TIMES
set -uo pipefail

source tools/testing/hw/lib.sh

suite=virtual
times=$1
ulimit -l unlimited

virtual() { basename "$(readlink "$pci/$pf/virtfn$1")"; }

make_functions() {
	echo 0 >"$pci/$pf/sriov_drivers_autoprobe" && echo 3 >"$pci/$pf/sriov_numvfs" &&
		[ -e "$pci/$(virtual 2)" ]
}

become_management_devices() {
	local i
	for i in 0 1 2; do
		take "$(virtual $i)" && vdpa mgmtdev show "pci/$(virtual $i)" || return 1
	done
	[ "$(driver_of "$pf")" = virtio-pci ]
}

groups_of_their_own() {
	local i groups
	groups=$(for f in "$pf" "$(virtual 0)" "$(virtual 1)" "$(virtual 2)"; do group_of "$f"; done)
	[ "$(sort -u <<<"$groups" | wc -l)" -eq 4 ] || return 1
	for i in 0 1 2; do
		[ "$(ls "$pci/$(virtual $i)/iommu_group/devices")" = "$(virtual $i)" ] || return 1
	done
}

by_virtio() { create v "$(virtual 0)" virtio_vdpa && pings v && vdpa dev del v; }

# all at once, by both bus drivers, and the physical function by the kernel's
all_at_once() {
	local worker status
	create v0 "$(virtual 0)" virtio_vdpa && create v1 "$(virtual 1)" vhost_vdpa || return 1
	traffic net v1 || return 1
	pings v0 && HW_NET=pci/$(virtual 2) hw-net -t arp_and_ping &&
		ip link set "$(ls "$pci/$pf"/virtio*/net)" up
	status=$?
	vdpa dev del v0 && vdpa dev del v1 && wait $worker && cat /run/traffic-v1 && return $status
}

# cycle NUMBER: they come, work and go, all at once or one by one
cycle() {
	local i workers=() first=virtio_vdpa second=vhost_vdpa
	[ $(($1 % 2)) -eq 1 ] && first=vhost_vdpa second=virtio_vdpa
	echo 3 >"$pci/$pf/sriov_numvfs" || return 1
	for i in 0 1 2; do take "$(virtual $i)" || return 1; done
	create v0 "$(virtual 0)" $first && create v1 "$(virtual 1)" $second &&
		create v2 "$(virtual 2)" vhost_vdpa || return 1
	rm -f /run/traffic-*
	for i in 0 1 2; do
		if [ -e /sys/bus/vdpa/drivers/vhost_vdpa/v$i ]; then
			vhost-traffic net v$i >/run/traffic-$i &
			workers+=($!)
		else
			wait_for net_of v$i && ip link set "$(net_of v$i)" up &&
				ip addr add 10.0.2.15/24 dev "$(net_of v$i)" || return 1
			ping -q -f 10.0.2.2 >/dev/null 2>&1 &
			workers+=($!)
		fi
	done
	sleep 0.1
	[ $(($1 % 3)) -ne 0 ] || virtual 1 >"$pci/$(virtual 1)/driver/unbind"
	echo 0 >"$pci/$pf/sriov_numvfs" || return 1
	[ -z "$(vdpa dev show)$(vdpa mgmtdev show)" ] || { echo "cycle $1: left behind"; return 1; }
	pkill ping
	all_end "${workers[@]}" || { echo "cycle $1: hangs"; return 1; }
	all_revoked /run/traffic-*
}

# cycles FIRST END: below END
cycles() {
	local i
	for ((i = $1; i < $2; i++)); do
		cycle "$i" || { echo "cycle $i"; return 1; }
	done
}

# the documents' functions are called 0000:01:00.*
documented() {
	local text
	text=$(example vp-vdpa "$1") && [ -n "$text" ] &&
		bash -xec "${text//0000:01:00./${pf%.*}.}"
}

undo() {
	local device
	for device in $(ls /sys/bus/vdpa/devices); do vdpa dev del "$device"; done
	echo 0 >"$pci/$pf/sriov_numvfs"
	[ "$(driver_of "$pf")" = virtio-pci ] || give "$pf"
}

load_parents || exit 1
pf=$(behind 10)
test_case "documented: virtual functions" documented 2
undo
test_case "documented: a physical function" documented 0
test_case "documented: a device" documented 1
undo
test_case "virtual functions are made" make_functions
test_case "become management devices, the physical function does not" become_management_devices
test_case "IOMMU groups of their own" groups_of_their_own
test_case "by virtio_vdpa: ping" by_virtio
kselftest hw-net "HW_NET=pci/$(virtual 1)"
test_case "all at once" all_at_once
echo 0 >"$pci/$pf/sriov_numvfs"
cycle 0 && cycle 1 && cycle 2
endures "$times times made and removed under load" cycles
