#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Run parts of the tests and count.
#
#   check.sh PART...
#
#   build	the modules with W=1 and sparse, endian checks on: not one warning
#   docs	kernel-doc of every file, and the SPDX tag in each
#   ynl		the netlink policy is what the specification generates
#   uapi	our UAPI headers against the distribution's
#   vendor	the stock vendor drivers, unmodified, against our header and symbols
#   kunit	KUnit suites in a User Mode Linux kernel with our sources laid over it
#   faults	in the same kernel: each allocation fails in turn, the simulators' kselftests
#   vm		kselftests and unmodified clients on the distribution's kernel
#   clients	DPDK and QEMU, unmodified, on /dev/vhost-vdpa-N
#
# A part is a function part_NAME that prints what it likes and, for every test, a
# line "ok NAME", "not ok NAME" or "ok NAME # SKIP reason" at the line's beginning.
# A part that ends badly without such a line counts as one failure.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top" || exit 1
release=${KVER:-$(tools/build/kver.sh)}
kbuild=$(realpath "/usr/src/linux-headers-$release/scripts")
logs=$top/build/logs
mkdir -p "$logs"

# verdict NAME COMMAND...: one test, passed when the command succeeds
verdict() {
	local name=$1
	shift
	if "$@"; then
		echo "ok $name"
	else
		echo "not ok $name"
	fi
}

no_output() {
	local said
	said=$("$@" 2>&1) || { echo "$said"; return 1; }
	[ -z "$said" ] || { echo "$said"; return 1; }
}

part_build() {
	verdict "build W=1 C=2 without a warning" no_output \
		tools/build/modules.sh "$release" "$top/build/checked/$release" \
		W=1 C=2 KCFLAGS=-Werror
}

spdx_everywhere() {
	local file bad=0

	while read -r file; do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: (*GPL-2.0' && continue
		echo "no SPDX tag: $file"
		bad=1
	done < <(find . -path ./build -prune -o -path ./.git -prune -o -type f \
		\( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name '*.rst' \
		-o -name '*.md' -o -name '*.yaml' -o -name Makefile -o -name Kbuild \
		-o -name Kconfig \) -print)
	return $bad
}

part_docs() {
	local files
	mapfile -t files < <(find drivers include -name '*.[ch]' | sort)
	verdict "kernel-doc parses" no_output "$kbuild/kernel-doc" -none -Wall "${files[@]}"
	verdict "SPDX tags" spdx_everywhere
}

part_ynl() {
	verdict "netlink policy is generated from its specification" \
		tools/net/vdpa-ynl-regen.sh --check
}

part_uapi() { tools/testing/uapi/check.sh; }
part_vendor() { tools/testing/vendor/check.sh; }
part_kunit() { tools/testing/kunit/run.sh; }
part_faults() { tools/testing/faults/run.sh; }
part_vm() { tools/testing/selftests.sh run; }
part_clients() { tools/testing/clients/run.sh; }

if [ "${1:---help}" = --help ]; then
	sed -n '3,/^set/{s/^# \{0,1\}//p}' "$0"
	exit
fi

passed=0 failed=0 skipped=0
for part in "$@"; do
	log=$logs/check-$part.log
	start=$SECONDS
	echo "== $part"
	"part_$part" 2>&1 | tee "$log" | grep -aE '^(not ok|ok .*# SKIP)' || true
	status=${PIPESTATUS[0]}

	n_failed=$(grep -acE '^not ok ' "$log")
	n_skipped=$(grep -acE '^ok .*# SKIP' "$log")
	n_passed=$(($(grep -acE '^ok ' "$log") - n_skipped))
	if [ "$status" -ne 0 ] && [ "$n_failed" -eq 0 ]; then
		echo "not ok $part ended with status $status"
		n_failed=1
	fi
	if [ $((n_passed + n_failed + n_skipped)) -eq 0 ]; then
		echo "not ok $part ran no test"
		n_failed=1
	fi
	[ "$n_failed" -eq 0 ] || { echo "-- the end of $log:"; tail -n 40 "$log"; }
	echo "   $n_passed passed, $n_failed failed, $n_skipped skipped in $((SECONDS - start)) s"
	passed=$((passed + n_passed))
	failed=$((failed + n_failed))
	skipped=$((skipped + n_skipped))
done

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
