#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: slices of a function, by the tools that administrators have. They are added,
# activated, made into devices, driven by both bus drivers and taken away in any order, and
# the function with them.
#
#   slices.sh [parameter of vdpa_sim...]
set -uo pipefail

source tools/testing/vm/lib.sh
export PATH=$PWD/build/selftests:$PATH

suite=slices${1:+-$1}
parent=platform/vdpa_slice_sim.0
count=64
ulimit -l unlimited

# add SFNUM [STATE]: a port; prints its index
add() {
	local port
	port=$(devlink port add "$parent" flavour pcisf pfnum 0 sfnum "$1") || return 1
	port=$(sed -n '1s/: .*//p' <<<"$port")
	[ -z "${2:-}" ] || devlink port function set "$port" state "$2" || return 1
	echo "$port"
}

# mgmt SFNUM: the slice's management device
mgmt() {
	local file number
	for file in /sys/bus/auxiliary/devices/vdpa_slice.sf.*/sfnum; do
		read -r number <"$file" || return 1
		file=${file%/sfnum}
		[ "$number" = "$1" ] && echo "auxiliary/${file##*/}" && return
	done
	return 1
}

# port_is PORT EXPRESSION: of what devlink says of it
port_is() {
	devlink -j port show "$1" | python3 -c "
import json, sys
p = next(iter(json.load(sys.stdin)['port'].values()))
print(p)
sys.exit(not ($2))"
}

devlink_refuses() { refused "Error: vdpa_slice: ." devlink "$@"; }

nothing_left() {
	[ -z "$(devlink port show)$(vdpa dev show)$(vdpa mgmtdev show | grep auxiliary)" ] &&
		! compgen -G "/sys/bus/auxiliary/devices/vdpa_slice*"
}

inactive_at_first() {
	local port
	port=$(add 88) || return 1
	port_is "$port" "p['flavour'] == 'pcisf' and p['sfnum'] == 88 and p['pfnum'] == 0
		and p['function']['state'] == 'inactive' and p['function']['opstate'] == 'detached'" &&
		! mgmt 88 && devlink port del "$port" && nothing_left
}

becomes_a_management_device() {
	local port
	port=$(add 88) && devlink port function set "$port" hw_addr 52:54:00:00:88:88 &&
		devlink port function set "$port" state active || return 1
	port_is "$port" "p['function']['state'] == 'active' and p['function']['opstate'] == 'attached'
		and p['function']['hw_addr'] == '52:54:00:00:88:88'" &&
		vdpa mgmtdev show "$(mgmt 88)" | grep -c 'max_supported_vqs 3' &&
		vdpa dev add name s88 mgmtdev "$(mgmt 88)" &&
		vdpa dev config show s88 | grep -c 'mac 52:54:00:00:88:88' &&
		vdpa dev show s88 | grep -c "mgmtdev $(mgmt 88)" &&
		[ "$(readlink -f /sys/bus/vdpa/devices/s88/../sfnum | xargs cat)" = 88 ] || return 1
	# it goes with its slice
	devlink port function set "$port" state inactive && ! vdpa dev show s88 2>/dev/null &&
		port_is "$port" "p['function']['opstate'] == 'detached'" &&
		devlink port function set "$port" state active &&
		vdpa dev add name s88 mgmtdev "$(mgmt 88)" && devlink port del "$port" && nothing_left
}

refusals() {
	local port other
	port=$(add 1 active) && other=$(add 2) || return 1
	devlink_refuses port add $parent flavour pcisf pfnum 0 sfnum 1 &&
		devlink_refuses port add $parent flavour pcisf pfnum 1 sfnum 3 &&
		devlink_refuses port add $parent flavour pcipf pfnum 0 &&
		devlink_refuses port add $parent/7 flavour pcisf pfnum 0 sfnum 3 &&
		devlink_refuses port function set "$port" hw_addr 52:54:00:00:00:01 &&
		devlink_refuses port function set "$other" hw_addr 01:00:00:00:00:00 &&
		devlink_refuses port function set "$other" hw_addr 00:00:00:00:00:00 &&
		vdpa dev add name one mgmtdev "$(mgmt 1)" &&
		! vdpa dev add name two mgmtdev "$(mgmt 1)" &&
		[ "$(devlink -j port show | grep -o sfnum | wc -l)" -eq 2 ] &&
		devlink port del "$port" && devlink port del "$other" && nothing_left
}

# a slice has as many queue pairs as it was given; iproute2 6.1 cannot say how many
pairs() {
	local port
	port=$(add 5) || return 1
	eqs() { python3 tools/testing/vm/io_eqs.py "$port" "$1"; }
	eqs 4 && ! eqs 0 && ! eqs 65 || return 1
	devlink port function set "$port" state active &&
		vdpa mgmtdev show "$(mgmt 5)" | grep -c 'max_supported_vqs 9' &&
		! vdpa dev add name s5 mgmtdev "$(mgmt 5)" max_vqp 5 &&
		vdpa dev add name s5 mgmtdev "$(mgmt 5)" max_vqp 4 &&
		! eqs 5 && devlink port del "$port" && nothing_left
}

numbers_of_the_kernel() {
	local i ports=()
	add 1 >/dev/null && devlink port add $parent flavour pcisf pfnum 0 &&
		devlink port add $parent flavour pcisf pfnum 0 || return 1
	[ "$(devlink -j port show | grep -oE '"sfnum":[0-9]+' | sort | tr '\n' ' ')" = \
		'"sfnum":0 "sfnum":1 "sfnum":2 ' ] || return 1
	for i in $(devlink port show | sed -n 's#^\(platform/[^:]*\): .*#\1#p'); do devlink port del "$i" || return 1; done
	nothing_left
}

limits() {
	local i
	rmmod vdpa_slice_sim && modprobe vdpa_slice_sim slices=3 queue_pairs=2 || return 1
	for i in 0 1; do add $i active >/dev/null || return 1; done
	local last
	last=$(add 2) || return 1
	devlink_refuses port function set "$last" state active &&
		devlink_refuses port add $parent flavour pcisf pfnum 0 sfnum 3 &&
		devlink resource show $parent | tee /dev/stderr | grep -c 'name slices size 3 occ 3' &&
		devlink resource show $parent | grep -c 'name queue_pairs size 2 occ 2' || return 1
	rmmod vdpa_slice_sim && modprobe vdpa_slice_sim && nothing_left
}

# a driver may be unbound and bound by hand: the slice stays, the device goes
unbind_and_bind() {
	local port name
	port=$(add 9 active) && vdpa dev add name s9 mgmtdev "$(mgmt 9)" || return 1
	name=$(basename "$(mgmt 9)")
	echo "$name" >/sys/bus/auxiliary/drivers/vdpa_slice.sf/unbind &&
		[ -z "$(vdpa dev show)" ] && port_is "$port" "p['function']['opstate'] == 'detached'" &&
		echo "$name" >/sys/bus/auxiliary/drivers/vdpa_slice.sf/bind &&
		vdpa dev add name s9 mgmtdev "auxiliary/$name" && devlink port del "$port" && nothing_left
}

# work NUMBER: a little traffic on its device, by the one bus driver or the other
work() {
	if [ $(($1 % 2)) -eq 0 ]; then
		bind_to "s$1" vhost_vdpa || return 1
		traffic net "s$1" 100000 || return 1
	else
		bind_to "s$1" virtio_vdpa && wait_for net_of "s$1" || return 1
		ip link set "$(net_of "s$1")" up
		ping -q -i 0.1 -b -I "$(net_of "s$1")" 255.255.255.255 >/dev/null 2>&1 &
		worker=$!
	fi
	workers+=($worker)
}

# many NUMBER: so many slices, all driven
many() {
	local i
	workers=()
	rm -f /run/traffic-*
	for i in $(seq 0 $(($1 - 1))); do
		ports[i]=$(add "$i" active) && vdpa dev add name "s$i" mgmtdev "$(mgmt "$i")" &&
			work "$i" || { echo "slice $i"; return 1; }
	done
}

# every one that was a process's was revoked, and nobody hangs
ended() {
	pkill ping
	all_end "${workers[@]}" && all_revoked /run/traffic-* && nothing_left
}

# while others run: each slice is taken away, in another order than they came
any_order() {
	local i n ports=()
	many $count || return 1
	[ "$(vdpa dev show | wc -l)" -eq $count ] || return 1
	for n in $(seq 0 $((count - 1))); do
		i=$((n * 29 % count))	# every one once, for 29 and the count have no divisor in common
		case $((i % 3)) in
		0) devlink port del "${ports[i]}" ;;
		1) vdpa dev del "s$i" && devlink port del "${ports[i]}" ;;
		2) devlink port function set "${ports[i]}" state inactive && devlink port del "${ports[i]}" ;;
		esac || { echo "slice $i"; return 1; }
	done
	ended
}

parent_goes() {
	local ports=() i
	for i in 1 2; do
		many 16 && echo vdpa_slice_sim.0 >/sys/bus/platform/drivers/vdpa_slice_sim/unbind &&
			ended && echo vdpa_slice_sim.0 >/sys/bus/platform/drivers/vdpa_slice_sim/bind ||
			return 1
	done
}

module_goes() {
	local ports=()
	many 16 && rmmod vdpa_slice_sim && ended && modprobe vdpa_slice_sim
}

# what a test that failed left is not the next one's trouble
slice_case() {
	test_case "$@"
	[ -z "$(devlink port show)" ] || { rmmod vdpa_slice_sim && modprobe vdpa_slice_sim; }
}

nothing_is_lost() {
	local before after i ports=()
	many 8 && for i in "${ports[@]}"; do devlink port del "$i"; done && ended || return 1
	sleep 1
	before=$(slab)
	for _ in 1 2 3; do
		many 8 && for i in "${ports[@]}"; do devlink port del "$i"; done && ended || return 1
	done
	sleep 1
	after=$(slab)
	echo "slab $before KiB before, $after KiB after"
	[ $((after - before)) -lt 1000 ]
}

load_modules "$@" && modprobe vdpa_slice_sim || exit 1
echo 0 >/sys/bus/vdpa/drivers_autoprobe
slice_case "inactive at first" inactive_at_first
slice_case "an active one becomes a management device" becomes_a_management_device
slice_case "refusals say why" refusals
slice_case "queue pairs of a slice" pairs
slice_case "numbers of the kernel's choice" numbers_of_the_kernel
slice_case "limits of the function" limits
slice_case "driver unbound and bound" unbind_and_bind
slice_case "$count slices, all driven, taken away in any order" any_order
slice_case "the function goes under load" parent_goes
slice_case "the module goes under load" module_goes
slice_case "nothing is lost" nothing_is_lost
rmmod vdpa_slice_sim vdpa_slice && unload_modules
test_case "modules unload" [ -z "$(grep ^vdpa /proc/modules)" ]
