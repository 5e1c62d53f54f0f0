#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fuzzing on the kernel with KASAN, UBSAN, lockdep and KCOV: by processes, and by devices that lie
# to the kernel's drivers.
#
#   run.sh [SECONDS]		in all, default 180; $SEED repeats one. Programs that reached something
#				new are in build/vm/fuzz/, to be added to corpus/
#   run.sh minimise PROGRAM	leave calls out of a program for as long as the kernel still
#				complains, or the program hangs; print what is left, in C
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
cd "$top" || exit 1
tools/testing/sanitized/build.sh kasan || { echo "not ok fuzz: the kernel is built"; exit 1; }

source tools/testing/vm/ended.sh

# machine SECONDS SCRIPT ARGUMENT...
machine() { tools/testing/vm/run.sh -K build/kasan/root -m 3072 -t "$1" -o build/vm/fuzz -- "${@:2}"; }

# its machine does not end well
is_bad() { ! machine 120 "$here/machine.sh" run "$1" >/dev/null 2>&1; }

minimise() {
	local program=$1 least=$top/build/fuzz-least try=$top/build/fuzz-try line lines
	grep -v '^#' "$program" >"$least"
	is_bad "$least" || { echo "$program does no harm"; return 1; }
	lines=$(wc -l <"$least")
	for ((line = lines; line >= 1; line--)); do
		sed "${line}d" "$least" >"$try"
		[ -n "$(tr -d '\n' <"$try")" ] && is_bad "$try" && cp "$try" "$least"
	done
	sed 's/^/# /' "$least"
	build/selftests/fuzz print "$least"
}

if [ "${1:-}" = minimise ]; then
	minimise "$2"
	exit
fi

seconds=${1:-180} seed=${SEED:-$RANDOM}
machine $((seconds / 4 + 300)) tools/testing/vm/liars.sh $((seconds / 4)) "$seed"
ended liars $?
machine $((seconds + 400)) "$here/machine.sh" fuzz $((seconds * 3 / 4)) "$seed"
ended fuzz $?
