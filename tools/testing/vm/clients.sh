#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: programs and drivers that nobody changed for us. iproute2's vdpa
# tool, the kernel's virtio_blk under fio with verification, its virtio_net with
# frames compared. One line "ok" or "not ok" per test.
set -uo pipefail

source tools/testing/vm/lib.sh

suite=clients

# json COMMAND... -- EXPRESSION: a python expression over the tool's parsed output
json() {
	local command=()
	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	vdpa -j "${command[@]}" | python3 -c "
import json, sys
d = json.load(sys.stdin)
print(d)
sys.exit(not ($2))"
}

# The tool prints the kernel's extack text after "Error:"; its exit status is 0 for
# some commands even then.
refused() {
	local said
	said=$("$@" 2>&1)
	echo "$said"
	grep -q "Error: ." <<<"$said" || { echo "was not refused: $*"; return 1; }
}

tool_shows_management_devices() {
	json mgmtdev show -- "set(d['mgmtdev']) >= {'vdpasim_net', 'vdpasim_blk'}" &&
		json mgmtdev show vdpasim_net -- \
			"d['mgmtdev']['vdpasim_net']['supported_classes'] == ['net']" &&
		json mgmtdev show vdpasim_blk -- \
			"d['mgmtdev']['vdpasim_blk']['supported_classes'] == ['block']"
}

tool_creates_a_net_device() {
	vdpa dev add name c-net mgmtdev vdpasim_net mac 52:54:00:aa:bb:00 mtu 1400 &&
		json dev show c-net -- "d['dev']['c-net']['type'] == 'network'
			and d['dev']['c-net']['mgmtdev'] == 'vdpasim_net'
			and d['dev']['c-net']['max_vqs'] == 3
			and d['dev']['c-net']['max_vq_size'] == 256" &&
		json dev config show c-net -- \
			"d['config']['c-net']['mac'] == '52:54:00:aa:bb:00'
			and d['config']['c-net']['mtu'] == 1400"
}

tool_creates_a_block_device() {
	vdpa dev add name c-blk mgmtdev vdpasim_blk &&
		json dev show c-blk -- "d['dev']['c-blk']['type'] == 'block'
			and d['dev']['c-blk']['max_vqs'] == 1"
}

tool_shows_all_devices() {
	json dev show -- "set(d['dev']) == {'c-net', 'c-blk'}" &&
		json dev config show -- "'c-net' in d['config']"
}

tool_shows_statistics() {
	bind_to c-net virtio_vdpa && wait_for net_of c-net &&
		json dev vstats show c-net qidx 0 -- "'rx packets' in str(d)" &&
		json dev vstats show c-net qidx 1 -- "'tx packets' in str(d)" &&
		json dev vstats show c-net qidx 2 -- "'cvq requests' in str(d)"
}

tool_refusals() {
	refused vdpa dev add name c-net mgmtdev vdpasim_net &&
		refused vdpa dev add name other mgmtdev no_such_device &&
		refused vdpa dev add name other mgmtdev pci/0000:00:00.0 &&
		refused vdpa dev add name other mgmtdev vdpasim_blk mac 52:54:00:aa:bb:01 &&
		refused vdpa dev add name other mgmtdev vdpasim_net mtu 67 &&
		refused vdpa dev add name a/b mgmtdev vdpasim_net &&
		refused vdpa dev del none &&
		refused vdpa dev show none &&
		refused vdpa dev vstats show c-net qidx 3 &&
		json dev show -- "set(d['dev']) == {'c-net', 'c-blk'}"
}

blk_disk() {
	bind_to c-blk virtio_vdpa && wait_for block_of c-blk && echo "/dev/$(block_of c-blk)"
}

fio_verify() {
	local disk
	disk=$(blk_disk) || return 1
	fio --name="$1" --filename="$disk" --ioengine=libaio --direct=1 "${@:2}" \
		--verify=crc32c --verify_fatal=1 --do_verify=1 --randrepeat=1 --size=16m
}

ext4_on_disk() {
	local disk
	disk=$(blk_disk) || return 1
	mkfs.ext4 -q -F "$disk" && mkdir -p /mnt/c && mount "$disk" /mnt/c &&
		cp -r "$PWD/include" /mnt/c && umount /mnt/c && mount "$disk" /mnt/c &&
		diff -r "$PWD/include" /mnt/c/include && fstrim /mnt/c
	local status=$?
	umount /mnt/c && fsck.ext4 -fn "$disk" && return $status
}

net_echo() {
	bind_to c-net virtio_vdpa && wait_for net_of c-net || return 1
	local dev
	dev=$(net_of c-net)
	[ "$(cat "/sys/class/net/$dev/address")" = 52:54:00:aa:bb:00 ] &&
		[ "$(cat "/sys/class/net/$dev/mtu")" = 1400 ] &&
		ip link set "$dev" up && python3 tools/testing/demo/echo.py "$dev" 300
}

net_new_address() {
	local dev
	dev=$(net_of c-net) &&
		ip link set "$dev" address 52:54:00:aa:bb:0c &&
		python3 tools/testing/demo/echo.py "$dev" 50 &&
		json dev config show c-net -- "d['config']['c-net']['mac'] == '52:54:00:aa:bb:0c'"
}

tool_deletes_while_bound() {
	vdpa dev del c-net && vdpa dev del c-blk && [ -z "$(vdpa dev show)" ] &&
		[ -z "$(ls /sys/bus/vdpa/devices)" ]
}

modules_unload() { unload_modules && ! grep -q '^vdpa' /proc/modules; }

load_modules "$@" || exit 1
test_case "modules are ours, none of the distribution's" show_modules
test_case "vdpa mgmtdev show" tool_shows_management_devices
test_case "vdpa dev add, net" tool_creates_a_net_device
test_case "vdpa dev add, block" tool_creates_a_block_device
test_case "vdpa dev show" tool_shows_all_devices
test_case "vdpa dev vstats show" tool_shows_statistics
test_case "refusals say why" tool_refusals
test_case "virtio_blk: fio random write, verified" \
	fio_verify random --rw=randwrite --bs=4k --iodepth=16 --io_size=8m
test_case "virtio_blk: fio mixed sizes, verified" \
	fio_verify mixed --rw=randwrite --bsrange=512-128k --bs_unaligned=0 --iodepth=8 --io_size=8m
test_case "virtio_blk: ext4, trim, fsck" ext4_on_disk
test_case "virtio_net: frames come back" net_echo
test_case "virtio_net: a new address by the control queue" net_new_address
test_case "vdpa dev del of bound devices" tool_deletes_while_bound
test_case "modules unload" modules_unload
