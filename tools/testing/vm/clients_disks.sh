#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: simulated disks in memory, on a file, on a block device past the page
# cache, under the kernel's virtio_blk. What it wrote is compared with what is there.
set -uo pipefail

source tools/testing/vm/lib.sh
suite=disks

dir=/mnt/disks
mib=32

# Where the content of each disk is on our side; nothing for the one in memory.
backing=
create() {
	local attrs=
	[ -n "$backing" ] && attrs=", \"dev-blk-backing\":\"$backing\""
	ynl dev-new "{\"mgmtdev-dev-name\":\"vdpasim_blk\", \"dev-name\":\"d\",
		\"dev-blk-cfg-capacity\":$((mib * 2048)), \"dev-blk-cfg-num-queues\":2 $attrs}" &&
		bind_to d virtio_vdpa && wait_for block_of d
}

disk() { echo "/dev/$(block_of d)"; }
remove() { vdpa dev del d; }

verified() {
	fio --name="$1" --filename="$(disk)" --ioengine=libaio --direct=1 "${@:2}" \
		--verify=crc32c --verify_fatal=1 --do_verify=1 --randrepeat=1 --size=16m
}

file_system() {
	mkdir -p /mnt/d && mkfs.ext4 -q -F "$(disk)" && mount "$(disk)" /mnt/d &&
		cp -r include Documentation /mnt/d && umount /mnt/d && mount "$(disk)" /mnt/d &&
		diff -r include /mnt/d/include && fstrim -v /mnt/d && umount /mnt/d &&
		fsck.ext4 -fn "$(disk)"
}

# what is discarded, or zeroed, reads as zeroes, and its neighbours do not
discard() {
	head -c 8M /dev/zero | tr '\0' x | dd of="$(disk)" bs=1M iflag=fullblock oflag=direct &&
		blkdiscard -o 1M -l 2M "$(disk)" && blkdiscard -z -o 4M -l 1M "$(disk)" || return 1
	echo 3 >/proc/sys/vm/drop_caches
	content 1 2 '\0' && content 4 1 '\0' && content 0 1 x && content 3 1 x && content 5 3 x
}

# content START COUNT BYTE: MiB of it
content() {
	cmp <(dd if="$(disk)" bs=1M skip="$1" count="$2" iflag=direct 2>/dev/null) \
		<(head -c "${2}M" /dev/zero | tr '\0' "$3")
}

# the same bytes by the driver and by us
same_as_backing() {
	head -c 20M /dev/urandom >/run/bytes &&
		dd if=/run/bytes of="$(disk)" bs=1M seek=10 oflag=direct conv=fsync &&
		cmp -n $((20 << 20)) -i 0:$((10 << 20)) /run/bytes "$1" &&
		cmp -n $((mib << 20)) "$(disk)" "$1"
}

bytes_survive() {
	local before after
	before=$(head -c ${mib}M "$(disk)" | cksum) && remove && create || return 1
	after=$(head -c ${mib}M "$(disk)" | cksum)
	[ "$before" = "$after" ]
}

queues_show() { [ "$(find "/sys/block/$(block_of d)/mq" -mindepth 1 -maxdepth 1 | wc -l)" -eq 2 ]; }
# each queue's thread on processors of its own
workers_spread() {
	local q cpus=
	for q in 0 1; do
		cpus+=" $(sed -n 's/^Cpus_allowed_list:\t//p' \
			"$(dirname "$(grep -lx "d-$q" /proc/[0-9]*/comm)")/status")"
	done
	echo "allowed:$cpus"
	[ "$cpus" = " 0 1" ] || [ "$cpus" = " 1 0" ]
}

# two devices that are one disk
shared() {
	rmmod vdpa_sim_blk && modprobe vdpa_sim_blk shared_backend=1 &&
		vdpa dev add name d mgmtdev vdpasim_blk && vdpa dev add name e mgmtdev vdpasim_blk &&
		bind_to d virtio_vdpa && bind_to e virtio_vdpa &&
		wait_for block_of d && wait_for block_of e &&
		head -c 4M /dev/urandom >/run/bytes &&
		dd if=/run/bytes of="$(disk)" bs=1M oflag=direct &&
		cmp -n $((4 << 20)) /run/bytes "/dev/$(block_of e)" &&
		remove && cmp -n $((4 << 20)) /run/bytes "/dev/$(block_of e)" &&
		! ynl dev-new "{\"mgmtdev-dev-name\":\"vdpasim_blk\", \"dev-name\":\"d\",
			\"dev-blk-backing\":\"$dir/image\"}" && vdpa dev del e
}

is_read_only() { [ "$(cat "/sys/block/$(block_of d)/ro")" = 1 ]; }

read_only() {
	ynl dev-new "{\"mgmtdev-dev-name\":\"vdpasim_blk\", \"dev-name\":\"d\",
		\"dev-blk-read-only\":1, \"dev-blk-backing\":\"$backing\"}" &&
		bind_to d virtio_vdpa && wait_for block_of d && is_read_only &&
		head -c 1M "$(disk)" >/dev/null && ! dd if=/dev/zero of="$(disk)" bs=4k count=1 &&
		remove
}

# all_of WHERE: every test on one kind of disk
all_of() {
	test_case "$1: create" create
	test_case "$1: two queues" queues_show
	test_case "$1: served by threads on two processors" workers_spread
	test_case "$1: fio random writes, verified" \
		verified random --rw=randwrite --bs=4k --iodepth=32 --io_size=8m
	test_case "$1: fio mixed sizes, verified" \
		verified mixed --rw=randwrite --bsrange=512-128k --bs_unaligned=0 --iodepth=8 --io_size=8m
	test_case "$1: blkdiscard" discard
	test_case "$1: ext4, trim, fsck" file_system
}

load_modules "$@" || exit 1
mkdir -p $dir && mount -t tmpfs none $dir

all_of memory
test_case "memory: remove" remove

truncate -s ${mib}M $dir/image
backing=$dir/image
all_of file
test_case "file: its bytes are the disk's" same_as_backing $dir/image
test_case "file: bytes survive the device" bytes_survive
test_case "file: remove" remove
test_case "file: read-only" read_only

truncate -s ${mib}M $dir/image2
modprobe loop && backing=$(losetup --find --show $dir/image2)
all_of "block device"
test_case "block device: its bytes are the disk's" same_as_backing $dir/image2
test_case "block device: bytes survive the device" bytes_survive
test_case "block device: remove" remove
test_case "block device: released" losetup -d "$backing"
test_case "shared: what one device writes the other reads" shared
test_case "modules unload" unload_modules
