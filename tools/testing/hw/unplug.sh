#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: functions are unplugged while both bus drivers are at work on them, a
# network card and a disk each, and plugged in again. By turns the administrator removes
# them in sysfs, the emulator takes them away and the kernel lets go of them in its time.
#
#   unplug.sh TIMES
set -uo pipefail

source tools/testing/hw/lib.sh

suite=unplug
times=$1
ulimit -l unlimited

gone() { [ ! -e "$pci/$1" ]; }
there() { behind "$1" >/dev/null; }

# start NAME KIND DRIVER: traffic in the background, until the device is gone
start() {
	case $2-$3 in
	net-virtio_vdpa)
		wait_for net_of "$1" || return 1
		ip link set "$(net_of "$1")" up && ip addr add 10.0.2.15/24 dev "$(net_of "$1")"
		ping -q -f 10.0.2.2 >/dev/null 2>&1 & ;;
	blk-virtio_vdpa)
		wait_for block_of "$1" || return 1
		dd if="/dev/$(block_of "$1")" of=/dev/null bs=64k iflag=direct \
			count=1000000 >/dev/null 2>&1 & ;;
	*-vhost_vdpa)
		vhost-traffic "$2" "$1" >"/run/traffic-$1" & ;;
	esac
	workers+=($!)
}

# unplug SLOT FUNCTION HOW
unplug() {
	case $3 in
	sysfs) echo 1 >"$pci/$2/remove" ;;
	monitor) monitor "device_del d$1" ;;
	esac
	wait_for gone "$2"
}

# plug SLOT KIND HOW
plug() {
	local backend=netdev=u$1 model=net
	[ "$2" = net ] || { backend=drive=n$1 model=blk; }
	case $3 in
	sysfs) echo 1 >/sys/bus/pci/rescan ;;
	monitor) monitor "device_add virtio-$model-pci,id=d$1,bus=rp$1,$backend,disable-legacy=on,iommu_platform=on" ;;
	esac
	wait_for there "$1"
}

# cycle NUMBER: both functions come, work and go
cycle() {
	local how=sysfs net_driver=virtio_vdpa blk_driver=vhost_vdpa net blk
	[ $(($1 % 2)) -eq 1 ] && how=monitor
	[ $(($1 / 2 % 2)) -eq 1 ] && net_driver=vhost_vdpa blk_driver=virtio_vdpa

	workers=()
	net=$(behind 10) && blk=$(behind 11) || { echo "cycle $1: nothing there"; return 1; }
	take "$net" && take "$blk" && create n "$net" $net_driver && create b "$blk" $blk_driver &&
		start n net $net_driver && start b blk $blk_driver ||
		{ echo "cycle $1: no start"; return 1; }
	sleep 0.1
	unplug 10 "$net" $how && unplug 11 "$blk" $how || { echo "cycle $1: $how does not unplug"; return 1; }
	[ -z "$(vdpa dev show)$(vdpa mgmtdev show)" ] || { echo "cycle $1: left behind"; return 1; }
	# a ping goes on without its card
	pkill ping
	all_end "${workers[@]}" || { echo "cycle $1: hangs"; return 1; }
	all_revoked /run/traffic-* || return 1
	rm -f /run/traffic-*
	plug 10 net $how && plug 11 blk $how || { echo "cycle $1: $how does not plug"; return 1; }
}

# cycles FIRST END: below END
cycles() {
	local i
	for ((i = $1; i < $2; i++)); do
		cycle "$i" || { echo "cycle $i"; return 1; }
	done
}

load_parents || exit 1
take "$(behind 10)" && take "$(behind 11)"
cycle 0 && cycle 1 && cycle 2 && cycle 3
endures "$times times under both bus drivers" cycles
