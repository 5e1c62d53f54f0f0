#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the same User Mode Linux kernel that the KUnit suites run in, where KASAN and lockdep look
# on: each allocation of the operations on vDPA devices fails in turn, and each copy from or to
# the process. Once for every way in which maps reach a parent.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
mkdir -p "$top/build/logs"

# sweep MODEL PARAMETER...
sweep() {
	local model=$1 log=$top/build/logs/faults-$1.log status
	shift

	"$here/../uml/machine.sh" 500 "$top/build/selftests/fail-nth" kmemleak=off "$@" >"$log"
	status=$?
	sed -nE "s/^((not )?ok) [0-9]+ /\1 faults: $model: /p" "$log"
	awk -v model="$model" '/failed, one at a time/ { sub(/.*each_allocation:/, ""); all += $1 }
		END { print "# faults: " model ": " all " points swept" }' "$log"
	if [ $status -ne 0 ]; then
		tail -n 30 "$log"
		echo "not ok faults: $model: ended with status $status and a clean log"
	else
		echo "ok faults: $model: ended with status 0 and a clean log"
	fi
}

sweep va
sweep pinned vdpa_sim.use_va=0
sweep pinned-dma-map vdpa_sim.use_va=0 vdpa_sim.batch_mapping=0
