#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs in the same User Mode Linux kernel that the KUnit suites run in, where KASAN and
# lockdep look on: each allocation of the operations on vDPA devices fails in turn, and the
# kselftests of the simulators. Once for every way in which maps reach a parent.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
out=$top/build/uml
mkdir -p "$top/build/logs"

"$here/../kunit/run.sh" build || exit 1

# program MODEL NAME PARAMETER...: the kselftest of that name
program() {
	local model=$1 name=$2 log=$top/build/logs/faults-$1-$2.log status
	shift 2

	TMPDIR=$out timeout -k 5 500 "$out/linux" mem=768M con=null con0=fd:1 console=tty \
		root=/dev/root rootfstype=hostfs rootflags=/ ro init="$here/init" \
		kunit.enable=0 quiet printk.time=0 "$@" \
		FAULTS_PROGRAM="$top/build/selftests/$name" </dev/null >"$log" 2>&1
	tr -d '\r' <"$log" | sed -nE "s/^((not )?ok) [0-9]+ /\1 faults: $model: $name: /p"
	status=$(tr -d '\r' <"$log" | sed -n 's/^faults: status //p')
	if [ "$status" != 0 ] || grep -aE \
		'BUG:|WARNING:|KASAN:|possible recursive|circular locking|suspicious RCU|Kernel panic' "$log"
	then
		tail -n 30 "$log"
		echo "not ok faults: $model: $name ended with status ${status:-none} and a clean log"
	else
		echo "ok faults: $model: $name ended with status 0 and a clean log"
	fi
}

simulators=(sim_blk_test sim_blk_create_test sim_blk_file_test sim_blk_slow_test sim_net_test
	sim_net_ctrl_test sim_net_wire_test sim_queues_test sim_fault_test sim_groups_test)

program va fail-nth
program pinned fail-nth vdpa_sim.use_va=0
program pinned-dma-map fail-nth vdpa_sim.use_va=0 vdpa_sim.batch_mapping=0
for name in "${simulators[@]}"; do
	program va "$name"
	program pinned "$name" vdpa_sim.use_va=0
done
