#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests on kernels that look on.
#
#   run.sh programs MODEL [PARAMETER...]
#				each kselftest program, with KASAN, UBSAN, lockdep and kmemleak, with
#				such a parameter of vdpa_sim
#   run.sh races [KIND...]	everything at once on four processors: kasan, kcsan; default both
#
# $SECONDS_EACH is how long each race goes on (default 20), $SEED repeats one.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
cd "$top" || exit 1

source tools/testing/vm/ended.sh

# machine KIND NAME SECONDS CPUS SCRIPT ARGUMENT...
machine() {
	local kind=$1 name=$2 limit=$3 cpus=$4
	shift 4

	tools/testing/vm/run.sh -K "build/$kind/root" -m 3072 -c "$cpus" -t "$limit" \
		-o "build/vm/$kind-$name" -- "$@"
	ended "$kind $name" $?
}

build() { "$here/build.sh" "$1" || { echo "not ok $1: the kernel is built"; exit 1; }; }

part_programs() {
	build kasan
	machine kasan "$1" 1500 2 "$here/programs.sh" "$@"
}

part_races() {
	local kind seed=${SEED:-$RANDOM}
	[ $# -gt 0 ] || set -- kasan kcsan
	echo "# seed $seed"
	for kind in "$@"; do
		build "$kind"
		machine "$kind" races 900 4 "$here/races.sh" "${SECONDS_EACH:-20}" "$seed"
	done
}

"part_${1:?programs or races}" "${@:2}"
