#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The KUnit suites, which run when their kernel boots: a line for each test.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
log=$top/build/logs/kunit-boot.log
mkdir -p "$top/build/logs"

"$here/machine.sh" 300 /bin/true kunit.filter_glob='*vdpa*' >"$log"
status=$?

# cases are indented by four, their suite's name comes before them
awk '
	/^    # Subtest: / { suite = $3 }
	/^    (not )?ok [0-9]+ / {
		verdict = $1 == "not" ? "not ok" : "ok"
		sub(/^    (not )?ok [0-9]+ (- )?/, "")
		print verdict " kunit: " suite ": " $0
	}' "$log"
if [ $status -ne 0 ]; then
	tail -n 30 "$log"
	echo "not ok kunit: the kernel ended with status $status"
elif ! grep -aq '^# Totals: pass:[1-9]' "$log"; then
	echo "not ok kunit: suites were run"
else
	echo "ok kunit: the kernel ended with status 0 and a clean log"
fi
