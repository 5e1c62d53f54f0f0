#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fuzzing on kernels with KASAN, UBSAN, lockdep and KCOV: by processes, and by devices that lie to
# the kernel's drivers.
#
#   run.sh [SECONDS]		by processes, default 180 s, in the kernel of KUnit's suites, which
#				runs as fast as the host does; $SEED repeats one. Programs that
#				reached something new are in build/vm/fuzz/, to be added to corpus/
#   run.sh liars [SECONDS]	by devices, default 60 s, there too
#   run.sh smp [SECONDS]	by processes with two processors, in the virtual machine
#   run.sh minimise PROGRAM	leave calls out of a program for as long as the kernel still
#				complains, or the program hangs; print what is left, in C
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
cd "$top" || exit 1
source tools/testing/vm/ended.sh

# machine SECONDS SCRIPT ARGUMENT...
machine() {
	tools/testing/sanitized/build.sh kasan &&
		tools/testing/vm/run.sh -K build/kasan/root -m 3072 -t "$1" -o build/vm/fuzz -- "${@:2}"
}

# uml SECONDS SCRIPT ARGUMENT...: $parameters are the kernel's
uml() {
	rm -rf build/vm/fuzz && mkdir -p build/vm/fuzz &&
		tools/testing/uml/machine.sh "$1" "${*:2}" ${parameters:-} \
			OUT="$top/build/vm/fuzz"
}

# its machine does not end well
is_bad() { ! uml 60 "$here/machine.sh" run "$(realpath "$1")" >/dev/null 2>&1; }

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

seed=${SEED:-$((RANDOM + 1))}
echo "# seed $seed"
case ${1:-} in
minimise)
	minimise "$2"
	;;
liars)
	parameters=vdpa_liar.seed=$seed
	uml $((${2:-60} + 100)) tools/testing/vm/liars.sh "${2:-60}" "$seed"
	ended liars $?
	;;
smp)
	machine $((${2:-180} + 400)) "$here/machine.sh" fuzz "${2:-180}" "$seed"
	ended "fuzz, two processors" $?
	;;
*)
	uml $((${1:-180} + 100)) "$here/machine.sh" fuzz "${1:-180}" "$seed"
	ended fuzz $?
	;;
esac
