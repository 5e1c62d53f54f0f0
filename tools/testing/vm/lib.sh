#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For scripts that run in the virtual machine: our modules, and devices on the
# vDPA bus. Sourced.

vdpa_modules="vdpa vdpa_ring virtio_vdpa vhost_vdpa vdpa_sim vdpa_sim_net vdpa_sim_blk"

# Load everything; arguments are parameters for vdpa_sim. A kernel without modules has all.
load_modules() {
	[ -e /proc/modules ] || return 0
	# shellcheck disable=SC2086 # words
	modprobe vdpa_sim "$@" && modprobe -a $vdpa_modules virtio_blk virtio_net
}

unload_modules() {
	[ -e /proc/modules ] || return 0
	# shellcheck disable=SC2046 # words
	rmmod $(tr ' ' '\n' <<<"$vdpa_modules" | tac)
}

# Name, file and checksum of the sources of each module that is loaded, and whether
# the distribution built one of that name. Fails unless the checksum in the kernel is
# that of our file; the distribution's modules carry none.
show_modules() {
	local module loaded file tree=/lib/modules/$(uname -r)

	printf '%-14s %-26s %-24s %s\n' module "loaded from" srcversion "the kernel's own"
	for module in $vdpa_modules; do
		file=$(modinfo -n "$module")
		loaded=$(cat "/sys/module/$module/srcversion" 2>/dev/null)
		printf '%-14s %-26s %-24s %s\n' "$module" "${file#"$tree"/}" \
			"${loaded:-NOT LOADED}" \
			"$(grep -q "/$module\.k\?o" "$tree/modules.order" &&
				echo "not loaded" || echo "none")"
		[ "${file#"$tree"/}" = "updates/$module.ko" ] &&
			[ -n "$loaded" ] && [ "$loaded" = "$(modinfo -F srcversion "$file")" ] ||
			return 1
	done
}

# wait_for COMMAND...: until it succeeds; a machine beside others may be slow
wait_for() {
	local i
	for i in $(seq 200); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
}

# bind_to DEVICE DRIVER: give a device to a bus driver, whoever has it now
bind_to() {
	local device=/sys/bus/vdpa/devices/$1
	echo "$2" >"$device/driver_override"
	[ -e "$device/driver" ] && echo "$1" >"$device/driver/unbind"
	echo "$1" >/sys/bus/vdpa/drivers_probe
	[ "$(basename "$(readlink -f "$device/driver")")" = "$2" ]
}

block_of() { ls "/sys/bus/vdpa/devices/$1/"virtio*/block; }
net_of() { ls "/sys/bus/vdpa/devices/$1/"virtio*/net; }

# refused TEXT COMMAND...: it fails, and says so
refused() {
	local text=$1 said
	shift
	said=$("$@" 2>&1) && { echo "was not refused: $*"; return 1; }
	echo "$said"
	grep -q "$text" <<<"$said"
}

# traffic KIND DEVICE [MICROSECONDS]: a vhost-traffic in the background that has begun; $worker
traffic() {
	vhost-traffic "$@" >"/run/traffic-$2" &
	worker=$!
	wait_for grep -q begun "/run/traffic-$2"
}

# all_revoked FILE...: each is the last word of a vhost-traffic whose device was taken away
all_revoked() {
	local file
	for file in "$@"; do
		grep -c "status -19" "$file" >/dev/null || { echo "$file: $(<"$file")"; return 1; }
	done
}

# all_end PID...: within a time
all_end() {
	local pid
	for pid in "$@"; do
		timeout 10 tail --pid="$pid" -s 0.05 -f /dev/null || return 1
	done
}

# pages that anybody has pinned
pinned() {
	echo 1 >/proc/sys/vm/stat_refresh
	awk '$1 == "nr_foll_pin_acquired" { n += $2 } $1 == "nr_foll_pin_released" { n -= $2 }
		END { print n }' /proc/vmstat
}

slab() { awk '/^Slab:/ { print $2 }' /proc/meminfo; }

# ynl COMMAND JSON: a request to the family, with attributes that iproute2 does not know
ynl() { tools/testing/vm/ynl.py "$@"; }

# example DOCUMENT WHICH: a block of a document for administrators
example() { tools/testing/docs/example.py "Documentation/admin-guide/vdpa/$1.rst" "$2"; }

# test_case NAME COMMAND...: with $suite set, one line "ok" or "not ok", and in that case what it
# said; and how long it took
test_case() {
	local name=$1 said start=$SECONDS
	shift
	if said=$("$@" 2>&1); then
		echo "ok $suite: $name"
	else
		echo "not ok $suite: $name"
		tail -n 100 <<<"$said" | sed 's/^/# /'
	fi
	echo "# took $((SECONDS - start)) s"
}
