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
bench=$PWD/build/bench/map_bench
entries=1000000

# what both sides need and neither brings
modprobe vhost_iotlb && modprobe vhost && modprobe irqbypass || exit 1

# load SIDE PARAMETER...
load() {
	local side=$1
	shift

	if [ "$side" = stock ]; then
		insmod "$tree/kernel/drivers/vdpa/vdpa.ko.xz" &&
			insmod "$tree/kernel/drivers/vhost/vhost_vdpa.ko.xz" max_iotlb_entries=$entries &&
			insmod "$stock/vringh.ko" &&
			insmod "$stock/vdpa_sim.ko" max_iotlb_entries=$entries "$@" &&
			insmod "$stock/vdpa_sim_net.ko"
	else
		insmod "$tree/updates/vdpa.ko" &&
			insmod "$tree/updates/vhost_vdpa.ko" max_iotlb_entries=$entries &&
			insmod "$tree/updates/vdpa_ring.ko" &&
			insmod "$tree/updates/vdpa_sim.ko" max_iotlb_entries=$entries "$@" &&
			insmod "$tree/updates/vdpa_sim_net.ko"
	fi
}

unload() {
	rmmod vdpa_sim_net vdpa_sim
	if [ "$1" = stock ]; then rmmod vringh; else rmmod vdpa_ring; fi
	rmmod vhost_vdpa vdpa
}

# model SIDE NAME FIGURES PARAMETER...: those of FIGURES that were asked for
model() {
	local side=$1 name=$2 figures=$3 figure
	shift 3

	load "$side" "$@" || exit 1
	for figure in $figures; do
		[[ " ${wanted[*]} " == *" $figure "* ]] || continue
		# stock never returns from it
		[ "$side $figure" = "stock delete" ] && continue
		"$bench" "$figure" | sed "s/^/$side $name /" || exit 1
	done
	unload "$side" || exit 1
}

wanted=("${@:-4k}")
[ $# -gt 0 ] || wanted=(4k thp hugetlb scattered single1000 single many memory delete)
for ((round = 0; round < rounds; round++)); do
	for side in stock ours; do
		model $side set_map "4k thp hugetlb scattered single1000 memory delete" use_va=0
		model $side dma_map "4k thp scattered single many" use_va=0 batch_mapping=0
		model $side dma_map_va "single many" batch_mapping=0
	done
done
