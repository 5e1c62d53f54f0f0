#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: physical functions become vDPA devices that both bus drivers have and
# that move data to the outside, under the IOMMU. See run.sh for what is in which slot.
set -uo pipefail

source tools/testing/hw/lib.sh

suite=functions

find_functions() {
	net=$(behind 10) && blk=$(behind 11) && few=$(behind 12) && pin=$(behind 13) &&
		pages=$(behind 14) && rng=$(behind 15) && open=$(behind 16)
}

# the kernel's own driver has all of them, and keeps those that nobody takes
nothing_is_taken() {
	local function
	for function in "$net" "$blk" "$few" "$pin" "$pages" "$rng" "$open"; do
		[ "$(driver_of "$function")" = virtio-pci ] || return 1
	done
	[ -z "$(vdpa mgmtdev show)" ]
}

become_management_devices() {
	local function
	for function in "$net" "$blk" "$few" "$pin" "$pages" "$rng" "$open"; do
		take "$function" && vdpa mgmtdev show "pci/$function" || return 1
	done
	vdpa mgmtdev show "pci/$net" | grep 'supported_classes net' &&
		vdpa mgmtdev show "pci/$blk" | grep 'supported_classes block'
}

groups_of_their_own() {
	[ "$(for f in "$net" "$blk" "$few" "$pin" "$pages" "$rng"; do group_of "$f"; done |
		sort -u | wc -l)" -eq 6 ]
}

# Row 41 of the known defects.
one_device_at_a_time() {
	vdpa dev add name one mgmtdev "pci/$net" &&
		refused "already is device one" vdpa dev add name two mgmtdev "pci/$net" &&
		vdpa dev del one && vdpa dev add name two mgmtdev "pci/$net" &&
		vdpa dev del two && [ -z "$(vdpa dev show)" ]
}

# MAC, VERSION_1, ACCESS_PLATFORM
few_features=0x300000020

features_at_creation() {
	provision f "$net" $few_features && vdpa -j dev show f && vdpa dev del f &&
		refused "does not have features 0x1000000000000000" \
			provision f "$net" 0x1000000300000020 &&
		refused "does not work without features 0x200000000" \
			provision f "$net" 0x100000020 &&
		! vdpa dev add name f mgmtdev "pci/$net" mac 52:54:00:00:00:01 &&
		[ -z "$(vdpa dev show)" ]
}

offered_only_what_was_provisioned() {
	local status
	provision f "$net" $few_features && bind_to f virtio_vdpa && pings f || return 1
	# bit 0 comes first
	[ "$(tr -d '\n' <"$(echo "$pci/$net"/virtio*/features)")" = \
		0000010000000000000000000000000011000000000000000000000000000000 ]
	status=$?
	vdpa dev del f && return $status
}

net_by_virtio() {
	create n "$net" virtio_vdpa && pings n && udhcpc_works n && vdpa dev del n
}

udhcpc_works() {
	busybox udhcpc -i "$(net_of "$1")" -n -q -t 5 -s /bin/true 2>&1 | tee /dev/stderr |
		grep -c "lease of 10.0.2" >/dev/null
}

blk_by_virtio() {
	local disk
	create b "$blk" virtio_vdpa && wait_for block_of b || return 1
	disk=/dev/$(block_of b)
	fio --name=v --filename="$disk" --ioengine=libaio --direct=1 --rw=randwrite --bs=4k \
		--iodepth=16 --size=4m --verify=crc32c --verify_fatal=1 --do_verify=1 &&
		seq 1 200000 | dd of="$disk" bs=64k oflag=direct iflag=fullblock conv=sync seek=64 &&
		vdpa dev del b
}

rng_by_virtio() {
	create r "$rng" virtio_vdpa && wait_for grep -q virtio /sys/class/misc/hw_random/rng_current &&
		[ "$(head -c 64 /dev/hwrng | wc -c)" -eq 64 ] && vdpa dev del r
}

doorbells_for_a_process() { HW_NET=pci/$pages HW_DOORBELLS=1 hw-net -t doorbell; }

vectors_are_shared() {
	create n "$few" virtio_vdpa && pings n || return 1
	[ "$(grep -c "vp-vdpa.$few" /proc/interrupts)" -eq 2 ] && vdpa dev del n &&
		HW_NET=pci/$few hw-net -t arp_and_ping
}

pin_serves_all() {
	local disk
	create b "$pin" virtio_vdpa && wait_for block_of b || return 1
	disk=/dev/$(block_of b)
	[ "$(grep -c "vp-vdpa.$pin" /proc/interrupts)" -eq 1 ] &&
		grep "vp-vdpa.$pin" /proc/interrupts | grep -i "IO-APIC" &&
		fio --name=v --filename="$disk" --ioengine=libaio --direct=1 --rw=randwrite --bs=4k \
			--iodepth=16 --size=2m --verify=crc32c --verify_fatal=1 --do_verify=1 &&
		vdpa dev del b && HW_BLK=pci/$pin hw-blk
}

# without VIRTIO_F_ACCESS_PLATFORM a process would choose physical addresses
not_for_a_process() {
	create o "$open" virtio_vdpa && pings o && vdpa dev del o || return 1
	! HW_NET=pci/$open hw-net -t arp_and_ping || return 1
	vdpa dev del t-hw
	dmesg | grep -c "unsafe for a process"
}

# the kernel's driver on top of a function that is reset under it
reset_under_virtio() {
	local i
	create b "$blk" virtio_vdpa && wait_for block_of b || return 1
	echo 1 >"$pci/$blk/reset" && vdpa dev del b &&
		create b "$blk" virtio_vdpa && wait_for block_of b &&
		dd if="/dev/$(block_of b)" of=/dev/null bs=64k count=4 iflag=direct && vdpa dev del b
}

given_back() {
	give "$net" && give "$blk" && ! vdpa mgmtdev show | grep -e "$net" -e "$blk" &&
		wait_for compgen -G "$pci/$net/virtio*/net/*"
}

unload_under_use() {
	local worker
	take "$net" && take "$blk" && create n "$net" virtio_vdpa && pings n &&
		create b "$blk" vhost_vdpa && wait_for vhost_of b || return 1
	traffic blk b || return 1
	rmmod vp_vdpa && wait $worker && [ -z "$(vdpa dev show)" ] && cat /run/traffic-b
}

vhost_of() { ls "/sys/bus/vdpa/devices/$1/" | grep vhost-vdpa; }

load_parents || exit 1
before=$(pinned)
find_functions
test_case "functions are there" find_functions
test_case "nothing is taken that was not given" nothing_is_taken
test_case "become management devices" become_management_devices
test_case "IOMMU groups of their own" groups_of_their_own
test_case "one device at a time" one_device_at_a_time
test_case "features at creation" features_at_creation
test_case "offered only what was provisioned" offered_only_what_was_provisioned
test_case "network by virtio_vdpa: ping, DHCP" net_by_virtio
test_case "disk by virtio_vdpa: fio, verified" blk_by_virtio
test_case "random numbers by virtio_vdpa" rng_by_virtio
kselftest hw-net "HW_NET=pci/$net"
kselftest hw-blk "HW_BLK=pci/$blk"
test_case "doorbells for a process, a page each" doorbells_for_a_process
test_case "fewer vectors than queues" vectors_are_shared
test_case "no vectors: the pin serves all" pin_serves_all
test_case "not translated: not for a process" not_for_a_process
test_case "reset under virtio_vdpa" reset_under_virtio
test_case "given back to the kernel's driver" given_back
test_case "module unloads under use" unload_under_use
test_case "nothing stays pinned" [ "$(pinned)" -eq "$before" ]
