#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: DPDK's testpmd, as the documents have it, on a simulated network device, which
# sends back what is addressed to it. A burst is sent first, and goes round from then on.
#
#   dpdk.sh [parameter of vdpa_sim...]
set -uo pipefail

source tools/testing/vm/lib.sh

model=${*:-va}
mac=52:54:00:00:00:01
log=/run/vm/out/testpmd.log

verdict() {
	if [ "$2" -eq 0 ]; then echo "ok dpdk: $model: $1"; else echo "not ok dpdk: $model: $1"; fi
}

# total DIRECTION: what testpmd says it received or sent, all in all
total() { sed -n "/Accumulated/,\$s/.*$1-packets: \([0-9]*\).*/\1/p" "$log" | head -n 1; }

load_modules "$@"
vdpa dev add name d-net mgmtdev vdpasim_net mac $mac
bind_to d-net vhost_vdpa
device=/dev/$(basename /sys/bus/vdpa/devices/d-net/vhost-vdpa-*)

recipe=$(example clients recipe-dpdk)
if [[ " $* " == *" use_va=0 "* ]]; then
	# what is pinned can be any memory
	recipe=${recipe/--single-file-segments --iova-mode=va/--no-huge}
else
	# only memory of a file that others could map too is reached by its address
	echo 192 >/proc/sys/vm/nr_hugepages
	mkdir -p /dev/hugepages
	mount -t hugetlbfs none /dev/hugepages
fi
recipe="exec timeout -s INT 180 ${recipe//"/dev/vhost-vdpa-0"/$device} --tx-first --eth-peer=0,$mac \
	--stats-period 1 --total-num-mbufs=2048"

ulimit -l unlimited
bash -c "$recipe" >"$log" 2>&1 &
pid=$!

# it says each second what went through
enough() { grep -aqE 'RX-packets: [0-9]{6}' "$log"; }
wait_for enough || wait_for enough || wait_for enough
# what the device counted, which it shows while somebody has it
count() { vdpa dev vstats show d-net qidx "$1" | tr '\n' ' ' | sed -n "s/.*$2 \([0-9]*\).*/\1/p"; }
took=$(count 1 "tx packets")
lost="$(count 0 "rx errors") $(count 0 "rx overruns") $(count 0 "rx drops") $(count 1 "tx errors")"
kill -INT $pid
wait $pid
echo "# the device took ${took:-nothing}, of which were lost: $lost"
[ "${took:-0}" -ge 100000 ] && [ "$lost" = "0 0 0 0" ]
verdict "the device loses no frame" $?

rx=$(total RX) tx=$(total TX)
echo "# received ${rx:-nothing}, sent ${tx:-nothing}"
[ "${rx:-0}" -ge 100000 ]
verdict "testpmd receives 100000 frames and more" $?
# the burst of 32 is on its way, the rest came back
[ $((${tx:-0} - ${rx:-0})) -ge 0 ] && [ $((${tx:-0} - ${rx:-0})) -le 32 ]
verdict "testpmd loses no frame" $?
grep -aq Accumulated "$log" &&
	! grep -aE 'RX-errors: *[1-9]|TX-errors: *[1-9]|RX-dropped: *[1-9]|TX-dropped: *[1-9]' "$log"
verdict "testpmd counts no errors" $?
grep -aq '^Bye' "$log"
verdict "testpmd ends well" $?
vdpa dev del d-net
verdict "the device goes" $?
