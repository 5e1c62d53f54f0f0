#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Physical and virtual functions of QEMU's, which nobody here wrote, behind QEMU's Intel
# IOMMU: each becomes a vDPA device that moves data to the outside.
#
#   run.sh [functions] [unplug] [virtual]		default: all
#
# $TIMES is how often functions are unplugged, and virtual ones made and removed, under
# load; 50 takes 13 minutes (default: 12).
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
cd "$top" || exit 1

tools/net/ynl.sh || exit 1
tools/testing/vm/newer.sh build/newer || { echo "not ok hw: no recent QEMU"; exit 1; }
qemu=$top/build/newer/bin/qemu-system-x86_64
dir=$top/build/hw
mkdir -p "$dir"

# one by one, each with the number of its slot in its names
devices=()
port() { devices+=(-device "pcie-root-port,id=rp$1,chassis=$1,slot=$1,addr=0x$1"); }
net() {
	port "$1"
	devices+=(-netdev "user,id=u$1"
		-device "virtio-net-pci,id=d$1,bus=rp$1,netdev=u$1,disable-legacy=on,$2")
}
blk() {
	port "$1"
	truncate -s 0 "$dir/disk$1"
	truncate -s 64M "$dir/disk$1"
	devices+=(-blockdev "file,node-name=n$1,filename=$dir/disk$1"
		-device "virtio-blk-pci,id=d$1,bus=rp$1,drive=n$1,disable-legacy=on,$2")
}
common=(-device intel-iommu,intremap=on
	-chardev "socket,id=monitor,path=$dir/monitor,server=on,wait=off"
	-mon chardev=monitor,mode=readline
	-device virtio-serial-pci,id=vs2 -chardev "socket,id=inner,path=$dir/monitor"
	-device virtserialport,bus=vs2.0,chardev=inner,name=monitor)

source tools/testing/vm/ended.sh

# machine NAME SECONDS [ARGUMENT...]
machine() {
	local name=$1 limit=$2
	shift 2

	tools/testing/vm/run.sh -e "$qemu" -t "$limit" -o "build/vm/hw-$name" \
		-a "intel_iommu=on pci=realloc" -q "${common[*]} ${devices[*]}" \
		-- "$here/$name.sh" "$@"
	ended "$name" $?
	devices=()
}

# what the machine wrote, compared where it cannot reach
disk_holds() {
	python3 - "$dir/disk11" <<-'END'
		import sys
		disk = open(sys.argv[1], "rb").read()
		# hw-blk.c: 32 times 64 KiB from 8 MiB on
		for part in range(32):
		    at = 8 * 1024 * 1024 + part * 65536
		    want = bytes((i * 31 + i // 512 + part) & 255 for i in range(65536))
		    if disk[at:at + 65536] != want:
		        sys.exit(f"part {part} differs")
		# functions.sh: the numbers up to 200000 from 4 MiB on
		text = b"".join(b"%d\n" % i for i in range(1, 200001))
		if disk[4 << 20:(4 << 20) + len(text)] != text:
		    sys.exit("numbers differ")
	END
}

part_functions() {
	local packed=iommu_platform=on,packed=on
	net 10 $packed
	blk 11 $packed,num-queues=2
	net 12 iommu_platform=on,vectors=2
	blk 13 $packed,vectors=0
	net 14 $packed,page-per-vq=on
	port 15
	devices+=(-device virtio-rng-pci,bus=rp15,disable-legacy=on,iommu_platform=on)
	net 16 iommu_platform=off
	machine functions 240
	if disk_holds; then
		echo "ok functions: the disk's file holds what was written"
	else
		echo "not ok functions: the disk's file holds what was written"
	fi
}

part_unplug() {
	net 10 iommu_platform=on
	blk 11 iommu_platform=on
	machine unplug 900 "${TIMES:-12}"
}

# the highest function is the physical one for QEMU: it is told last
part_virtual() {
	local function
	port 10
	for function in 1 2 3; do
		devices+=(-netdev "user,id=u$function" -device "virtio-net-pci,bus=rp10,\
addr=0x0.0x$function,netdev=u$function,sriov-pf=pf,iommu_platform=on,packed=on")
	done
	devices+=(-netdev user,id=u0 -device "virtio-net-pci,bus=rp10,id=pf,addr=0x0.0x0,netdev=u0,\
iommu_platform=on,packed=on")
	machine virtual 900 "${TIMES:-12}"
}

[ $# -gt 0 ] || set -- functions unplug virtual
for part in "$@"; do
	"part_$part"
done
