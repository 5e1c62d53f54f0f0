#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: the examples in documents, each literal block as a script.
#
#   examples.sh
set -uo pipefail

source tools/testing/vm/lib.sh

suite=examples
export PATH=$PWD/build/selftests:$PATH

# a shell of its own: in this one a condition would keep -e from ending it
run() { bash -xec "$1"; }

# of a device that is kicked and whose maps change, it says so; perf stat lists also what is not.
# They look for a second, in which a slow machine may do nothing.
shows_traffic() {
	local said attempt
	for attempt in 1 2 3 4 5; do
		said=$(run "$1" 2>&1) || { echo "$said"; return 1; }
		echo "$said"
		! grep -cE '^ +[1-9][0-9.,]* +vdpa:vdpa_kick|vdpa_kick.*traced|@kicks\[traced, |^\[.*@+|vdpa_.*device=traced|vdpa_[a-z]+: traced' \
			<<<"$said" || return 0
	done
	return 1
}

# examples DOCUMENT [COMMAND]: instead of just running them
examples() {
	local number=0 text
	while text=$(example "$1" $number) && [ -n "$text" ]; do
		number=$((number + 1))
		test_case "$1 $number" "${2:-run}" "$text"
	done
	[ $number -gt 0 ] || echo "not ok $suite: $1 has examples"
}

delete_all() {
	local device
	for device in $(ls /sys/bus/vdpa/devices); do vdpa dev del "$device"; done
}

export -f ynl
load_modules && modprobe vdpa_slice_sim || exit 1
examples using
examples slice
delete_all
mkdir -p /srv
examples sim
delete_all

# something to be seen: frames that go round
vdpa dev add name traced mgmtdev vdpasim_net
bind_to traced vhost_vdpa
(while traffic net traced; do sleep 0.4; kill $worker; wait $worker; done) >/dev/null 2>&1 &
rounds=$!
examples trace shows_traffic
kill $rounds
wait $rounds
pkill vhost-traffic
delete_all
