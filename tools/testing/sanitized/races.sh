#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In a machine whose kernel looks on: everything at once, while modules are removed and loaded
# again underneath; then modules in every kind of order.
#
#   races.sh SECONDS SEED
set -uo pipefail

source tools/testing/vm/lib.sh

suite=races
seconds=$1 seed=$2
export PATH=$PWD/build/selftests:$PATH

# a bus driver or a class of devices goes and comes, as far as it is let
modules_come_and_go() {
	local module count=0
	while [ -e /run/going ]; do
		for module in vhost_vdpa virtio_vdpa vdpa_sim_blk; do
			rmmod $module 2>/dev/null && count=$((count + 1))
			sleep 0.3
			modprobe $module
		done
	done
	echo "$count modules went and came"
	[ $count -gt 0 ]
}

# @model: a parameter of vdpa_sim
everything() {
	load_modules $1 || return 1
	race-stress "$seconds" "$seed" && unload_modules
}

while_modules_go() {
	local worker status
	load_modules $1 || return 1
	touch /run/going
	modules_come_and_go &
	worker=$!
	race-stress "$seconds" $((seed + 1000)) partly
	status=$?
	rm /run/going
	wait $worker && load_modules && unload_modules && return $status
}

# what it did is of interest, also when all is well
told() {
	"$@" >/run/told 2>&1
	local status=$?
	sed 's/^/# /' /run/told >&3
	cat /run/told
	return $status
}

# the kernel that watches for races did
watched() {
	local watchpoints
	cat /sys/kernel/debug/kcsan
	watchpoints=$(sed -n 's/^setup_watchpoints: //p' /sys/kernel/debug/kcsan)
	[ "$watchpoints" -gt 10000 ]
}

exec 3>&1
for model in use_va=1 use_va=0; do
	test_case "everything at once, $model" told everything $model
	test_case "modules come and go, $model" told while_modules_go $model
done
[ ! -e /sys/kernel/debug/kcsan ] || test_case "accesses were watched" told watched
