#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: the samples, which documents show: a parent that gives random numbers, a
# process that drives it, and a bus driver that tells what a device is.
set -uo pipefail

source tools/testing/vm/lib.sh

suite=sample

current() { cat /sys/class/misc/hw_random/rng_current; }
is_current() { [[ $(current) == virtio_rng* ]]; }

numbers() {
	vdpa dev add name r mgmtdev vdpa_rng && bind_to r virtio_vdpa && wait_for is_current &&
		head -c 65536 /dev/hwrng >/run/one && head -c 65536 /dev/hwrng >/run/two &&
		[ "$(stat -c %s /run/one)" -eq 65536 ] && ! cmp -s /run/one /run/two &&
		[ "$(gzip -c /run/one | wc -c)" -gt 65000 ]
}

for_a_process() {
	local node
	bind_to r vhost_vdpa && node=/dev/$(basename /sys/bus/vdpa/devices/r/vhost-vdpa-*) || return 1
	build/selftests/vhost_rng "$node" 100000 >/run/one &&
		build/selftests/vhost_rng "$node" 100000 >/run/two &&
		[ "$(stat -c %s /run/one)" -eq 100000 ] && ! cmp -s /run/one /run/two &&
		[ "$(gzip -c /run/one | wc -c)" -gt 99000 ] &&
		bind_to r virtio_vdpa && wait_for is_current && head -c 64 /dev/hwrng >/run/one
}

goes_while_read() {
	(while head -c 64 /dev/hwrng; do :; done) >/dev/null 2>&1 &
	sleep 0.3
	rmmod vdpa_rng && [ -z "$(vdpa dev show)" ]
	local status=$?
	kill $! 2>/dev/null
	return $status
}

logged() { dmesg | grep -F "$1"; }

# it is told of a link that changes, and is not when it has given the device up
bus_driver() {
	modprobe vdpa_sim_net && vdpa dev add name i mgmtdev vdpasim_net mac 52:54:00:00:00:05 ||
		return 1
	modprobe vdpa_inspect && bind_to i vdpa_inspect &&
		logged "virtio device 1, 3 queues of up to 256" &&
		logged "configuration 52 54 00 00 00 05" &&
		ynl dev-attr-set '{"dev-name": "i", "dev-net-link": 0}' &&
		ynl dev-attr-set '{"dev-name": "i", "dev-net-link": 1}' &&
		bind_to i virtio_vdpa && logged "configuration changed 2 times" &&
		bind_to i vdpa_inspect && vdpa dev del i && rmmod vdpa_inspect
}

modprobe virtio_vdpa && modprobe vhost_vdpa && modprobe virtio_rng && modprobe vdpa_rng || exit 1
test_case "random numbers come" numbers
test_case "in a process, and back" for_a_process
test_case "goes while it is read" goes_while_read
test_case "a bus driver" bus_driver
