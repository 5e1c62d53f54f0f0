#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: the whole way of a block and a network device, step by step, with
# the distribution's kernel, its own virtio drivers and iproute2's vdpa tool.
set -uo pipefail

here=tools/testing/demo
bin=$PWD/build/selftests
source tools/testing/vm/lib.sh

summary=()
failed=0

title() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
show() { printf '$ %s\n' "$*"; "$@"; }

# result WORDS: what the last command showed, for the summary
result() {
	if [ "$1" -eq 0 ]; then
		summary+=("ok     $2")
	else
		summary+=("FAILED $2")
		failed=1
	fi
}

# Whole packages' documents, in order, until $1 MiB are reached.
copy_documents() {
	local left=$(($1 * 1024)) size directory
	cd /usr/share
	while [ $left -gt 0 ] && read -r size directory; do
		left=$((left - size))
		echo "$directory"
	done < <(find doc -mindepth 1 -maxdepth 1 -type d | sort | xargs du -sk) \
		>/run/documents
	tar -cf - --files-from=/run/documents | tar -C "$2" -xf -
	cd - >/dev/null
}

# Checksums of every file of those packages below a directory.
sums() {
	(cd "$1" && xargs -d '\n' -I{} find {} -type f -print0 </run/documents |
		sort -z | xargs -0 -r md5sum)
}

title "The modules: ours, on $(uname -sr)"
load_modules && show_modules | tee /run/modules
result "${PIPESTATUS[0]}" "our modules are loaded, none of the distribution's"

title "Management devices"
show vdpa mgmtdev show
vdpa mgmtdev show | grep vdpasim_blk >/dev/null && vdpa mgmtdev show | grep vdpasim_net >/dev/null
result $? "management devices vdpasim_net and vdpasim_blk"

title "A disk for the kernel's virtio_blk"
show vdpa dev add name disk0 mgmtdev vdpasim_blk
bind_to disk0 virtio_vdpa && wait_for block_of disk0
disk=/dev/$(block_of disk0)
show vdpa dev show disk0
show vdpa dev config show disk0
show lsblk "$disk"
show mkfs.ext4 -q -L vdpa-demo "$disk" && mkdir -p /mnt/disk && mount "$disk" /mnt/disk
result $? "mkfs.ext4 and mount on $disk"
echo "copying documents ..."
copy_documents 8 /mnt/disk
sync; echo 3 >/proc/sys/vm/drop_caches
umount /mnt/disk && mount "$disk" /mnt/disk
sums /usr/share >/run/sums.source
sums /mnt/disk >/run/sums.disk
[ -s /run/sums.disk ] && cmp /run/sums.source /run/sums.disk
result $? "$(wc -l </run/sums.disk) files, $(du -sm /mnt/disk/doc | cut -f 1) MiB copied; checksums equal"
umount /mnt/disk
show fsck.ext4 -fn "$disk"
result $? "fsck finds nothing"
dd if="$disk" of=/run/superblock.virtio bs=1024 skip=1 count=1 iflag=fullblock status=none

title "The same disk for a process, through /dev/vhost-vdpa-N"
bind_to disk0 vhost_vdpa
result $? "disk0 moved from virtio_vdpa to vhost_vdpa"
node=/dev/$(basename "$(ls -d /sys/bus/vdpa/devices/disk0/vhost-vdpa-*)")
wait_for test -c "$node"
show ls -l "$node"
echo "\$ vhost-read $node 1024 1024"
"$bin/vhost-read" "$node" 1024 1024 >/run/superblock.vhost
xxd -l 32 -s 56 /run/superblock.vhost 2>/dev/null || od -A d -t x1z -j 56 -N 80 /run/superblock.vhost
[ -s /run/superblock.vhost ] && cmp /run/superblock.virtio /run/superblock.vhost &&
	[ "$(od -A n -t x2 -j 56 -N 2 /run/superblock.vhost | tr -d ' ')" = ef53 ]
result $? "a process reads the ext4 superblock over its own ring: the same bytes"

title "A network device for the kernel's virtio_net"
show vdpa dev add name net0 mgmtdev vdpasim_net mac 52:54:00:12:34:56 mtu 1500
bind_to net0 virtio_vdpa && wait_for net_of net0
dev=$(net_of net0)
show vdpa dev config show net0
# its own frames, at its own times, would be between two looks at the counters
echo 1 >"/proc/sys/net/ipv6/conf/$dev/disable_ipv6"
show ip link set "$dev" up
show python3 "$here/echo.py" "$dev" 200
result $? "200 frames sent on $dev come back, byte for byte"
rx=$(vdpa dev vstats show net0 qidx 0) tx=$(vdpa dev vstats show net0 qidx 1)
printf '$ vdpa dev vstats show net0 qidx 0\n%s\n$ vdpa dev vstats show net0 qidx 1\n%s\n' "$rx" "$tx"
packets() { grep -o "$2 packets [0-9]*" <<<"$1" | tr -dc 0-9; }
kernel_tx=$(cat "/sys/class/net/$dev/statistics/tx_packets")
kernel_rx=$(cat "/sys/class/net/$dev/statistics/rx_packets")
echo "the kernel counted $kernel_tx sent, $kernel_rx received"
[ "$(packets "$tx" tx)" = "$kernel_tx" ] && [ "$(packets "$rx" rx)" = "$kernel_rx" ] &&
	[ "$kernel_rx" -ge 200 ]
result $? "device and driver count the same: $kernel_tx sent, $kernel_rx received"

if [ "${1:-}" != keep ]; then
	title "Everything goes"
	show vdpa dev del net0 && show vdpa dev del disk0 && [ -z "$(vdpa dev show)" ]
	result $? "devices deleted"
	show unload_modules
	result $? "modules unloaded"
	! dmesg | grep -E 'WARNING|BUG|Oops|Call Trace|blocked for more'
	result $? "kernel log clean"
fi

title "Summary"
cat /run/modules
printf '%s\n' "${summary[@]}"
exit $failed
