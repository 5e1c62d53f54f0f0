#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: the stock modules and ours in turns, every figure in each.
#
#   machine.sh ROUNDS STOCK [FIGURE...]
#
# STOCK is the directory of the modules that stock.sh built. Lines are
# "SIDE MODEL FIGURE VALUE UNIT".
set -uo pipefail

rounds=$1
stock=$2
shift 2
tree=/lib/modules/$(uname -r)
bench=$PWD/build/bench
entries=1000000

# what both sides need and neither brings
for module in vhost_iotlb vhost irqbypass virtio_net virtio_blk; do
	modprobe $module || exit 1
done

# load SIDE PARAMETER...
load() {
	local side=$1
	shift

	# admin_bench takes it away and puts it back
	export VIRTIO_VDPA=$tree/updates/virtio_vdpa.ko
	[ "$side" = ours ] || VIRTIO_VDPA=$tree/kernel/drivers/virtio/virtio_vdpa.ko.xz
	if [ "$side" = stock ]; then
		insmod "$tree/kernel/drivers/vdpa/vdpa.ko.xz" &&
			insmod "$VIRTIO_VDPA" &&
			insmod "$tree/kernel/drivers/vhost/vhost_vdpa.ko.xz" max_iotlb_entries=$entries &&
			insmod "$stock/vringh.ko" &&
			insmod "$stock/vdpa_sim.ko" max_iotlb_entries=$entries "$@" &&
			insmod "$stock/vdpa_sim_net.ko" &&
			insmod "$stock/vdpa_sim_blk.ko"
	else
		insmod "$tree/updates/vdpa.ko" &&
			insmod "$VIRTIO_VDPA" &&
			insmod "$tree/updates/vhost_vdpa.ko" max_iotlb_entries=$entries &&
			insmod "$tree/updates/vdpa_ring.ko" &&
			insmod "$tree/updates/vdpa_sim.ko" max_iotlb_entries=$entries "$@" &&
			insmod "$tree/updates/vdpa_sim_net.ko" &&
			insmod "$tree/updates/vdpa_sim_blk.ko"
	fi
}

unload() {
	rmmod vdpa_sim_blk vdpa_sim_net vdpa_sim
	if [ "$1" = stock ]; then rmmod vringh; else rmmod vdpa_ring; fi
	rmmod vhost_vdpa virtio_vdpa vdpa
}

# model SIDE NAME PROGRAM FIGURES PARAMETER...: those of FIGURES that were asked for
model() {
	local side=$1 name=$2 program=$3 figures=$4 figure
	shift 4

	load "$side" "$@" || exit 1
	for figure in $figures; do
		[[ " ${wanted[*]} " == *" $figure "* ]] || continue
		# stock never returns from it
		[ "$side $figure" = "stock delete" ] && continue
		"$bench/$program" "$figure" | sed "s/^/$side $name /" || exit 1
	done
	unload "$side" || exit 1
}

ring="net64 net1500 netone blkread blkwrite blkone blkread128k blkwrite128k idlenet idleblk"
virtio="vnet64 vnet1500 vblk1 vblk32"
# in this order: afterwards the other bus driver is the first
admin="dump pairsnone pairsvirtio pairsvhost"
wanted=("$@")
# without a figure: all but those that need a clock of another kind
# shellcheck disable=SC2206 # words
[ $# -gt 0 ] || wanted=(4k thp hugetlb scattered single1000 single many memory delete $ring $virtio $admin)
for ((round = 0; round < rounds; round++)); do
	for side in stock ours; do
		model $side set_map map_bench "4k thp hugetlb scattered single1000 memory delete" use_va=0
		model $side dma_map map_bench "4k thp scattered single many" use_va=0 batch_mapping=0
		model $side dma_map_va map_bench "single many" batch_mapping=0
		model $side va ring_bench "$ring" use_va=1
		model $side pa ring_bench "$ring" use_va=0
		model $side va virtio_bench "$virtio" use_va=1
		model $side pa virtio_bench "$virtio" use_va=0
		model $side admin admin_bench "$admin parallel latency"
		model $side va ring_bench scale use_va=1
		model $side pa ring_bench scale use_va=0
	done
done
