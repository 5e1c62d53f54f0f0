#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In a machine whose kernel looks on.
#
#   machine.sh fuzz SECONDS SEED	each target for a third of that
#   machine.sh run PROGRAM
set -uo pipefail

source tools/testing/vm/lib.sh

suite=fuzz
export PATH=$PWD/build/selftests:$PATH
ulimit -l unlimited

# with what it ran, for whoever counts
fuzz_one() {
	local said status
	said=$(timeout $((seconds + 120)) fuzz "$target" "$seconds" "$seed" "tools/testing/fuzz/corpus/$target" \
		"/run/vm/out/$target" 2>&1)
	status=$?
	echo "$said" >&3
	echo "$said"
	return $status
}

load_modules || exit 1
if [ "$1" = run ]; then
	fuzz run "$2"
else
	exec 3>&1
	seconds=$(($2 / 3)) seed=$3
	for target in netlink vhost ring; do test_case "$target" fuzz_one; done
fi
unload_modules
