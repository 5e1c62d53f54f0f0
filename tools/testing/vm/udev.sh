#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: with udev running and the package's rules, a device that is created for a
# driver loads it, and one of a process has a name that stays.
set -uo pipefail

source tools/testing/vm/lib.sh

suite=udev

rules_are_installed() {
	cp tools/packaging/vdpa-node /usr/lib/udev/ &&
		mkdir -p /run/udev/rules.d && cp tools/packaging/60-vdpa.rules /run/udev/rules.d/ &&
		groupadd --system vdpa && /lib/systemd/systemd-udevd --daemon
}

# create NAME MANAGEMENT-DEVICE DRIVER
create() {
	ynl dev-new "{\"mgmtdev-dev-name\":\"$2\", \"dev-name\":\"$1\", \"dev-driver\":\"$3\"}"
}

driver_is_loaded() {
	! grep -q '^virtio_vdpa' /proc/modules && create v vdpasim_blk virtio &&
		wait_for block_of v && grep -q '^virtio_vdpa' /proc/modules && vdpa dev del v
}

names_stay() {
	local first second
	create one vdpasim_net vhost && create two vdpasim_net vhost &&
		wait_for test -L /dev/vdpa/one && wait_for test -L /dev/vdpa/two || return 1
	first=$(readlink -f /dev/vdpa/one) second=$(readlink -f /dev/vdpa/two)
	[ -c "$first" ] && [ -c "$second" ] && [ "$first" != "$second" ] &&
		[ "$(stat -c '%G %a' "$first")" = "vdpa 660" ] &&
		[ -e "/sys/bus/vdpa/devices/two/$(basename "$second")" ] || return 1
	# gone with its file, and back with another
	echo one >/sys/bus/vdpa/drivers/vhost_vdpa/unbind && wait_for test ! -e /dev/vdpa/one &&
		echo one >/sys/bus/vdpa/drivers/vhost_vdpa/bind && wait_for test -c /dev/vdpa/one &&
		vdpa dev del one && wait_for test ! -L /dev/vdpa/one && [ -c /dev/vdpa/two ] &&
		vdpa dev del two && wait_for test ! -L /dev/vdpa/two
}

modprobe vdpa_sim_net && modprobe vdpa_sim_blk || exit 1
test_case "rules are installed, udev runs" rules_are_installed
test_case "a device loads the driver that it is for" driver_is_loaded
test_case "devices of processes have names that stay" names_stay
