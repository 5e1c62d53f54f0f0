#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Let each allocation of the operations on vDPA devices fail in turn, with the same User
# Mode Linux kernel that the KUnit suites run in: KASAN and lockdep look on. Once for
# every way in which maps reach a parent.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
out=$top/build/uml
mkdir -p "$top/build/logs"

"$here/../kunit/run.sh" build || exit 1

# model NAME PARAMETER...
model() {
	local name=$1 log=$top/build/logs/faults-$1.log status
	shift

	TMPDIR=$out timeout -k 5 500 "$out/linux" mem=768M con=null con0=fd:1 console=tty \
		root=/dev/root rootfstype=hostfs rootflags=/ ro init="$here/init" \
		kunit.enable=0 quiet printk.time=0 "$@" \
		FAULTS_PROGRAM="$top/build/selftests/fail-nth" </dev/null >"$log" 2>&1
	tr -d '\r' <"$log" | sed -nE "s/^((not )?ok) [0-9]+ /\1 faults: $name: /p"
	status=$(tr -d '\r' <"$log" | sed -n 's/^faults: status //p')
	if [ "$status" != 0 ] || grep -aE \
		'BUG:|WARNING:|KASAN:|possible recursive|circular locking|suspicious RCU|Kernel panic' "$log"
	then
		tail -n 30 "$log"
		echo "not ok faults: $name: the program ended with status ${status:-none} and a clean log"
	else
		echo "ok faults: $name: the program ended with status 0 and a clean log"
	fi
}

model va
model pinned vdpa_sim.use_va=0
model pinned-dma-map vdpa_sim.use_va=0 vdpa_sim.batch_mapping=0
