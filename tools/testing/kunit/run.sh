#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build a User Mode Linux kernel with our sources laid over the distribution's, run
# the KUnit suites in it, and print a line for each test.
#
#   run.sh [build]	build only
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
tree=$top/build/tree
out=$top/build/uml
log=$top/build/logs/kunit-boot.log
mkdir -p "$out" "$top/build/logs"

"$here/../overlay/prepare.sh" "$tree" || exit 1

build() { make -s -C "$tree" ARCH=um O="$out" -j"$(nproc)" "$@"; }

if ! cmp -s "$here/kunitconfig" "$out/kunitconfig"; then
	cp "$here/kunitconfig" "$out/.config"
	build olddefconfig || exit 1
	cp "$here/kunitconfig" "$out/kunitconfig"
fi
# options that are not what we asked for would quietly test less
while read -r option; do
	grep -qx "$option" "$out/.config" ||
		{ echo "not ok kunit: $option is not set"; exit 1; }
done < <(echo CONFIG_HAS_DMA=y; grep -E \
	'^CONFIG_[A-Z_]*VDPA|^CONFIG_(KASAN|PROVE_LOCKING|KUNIT|FAILSLAB|HOSTFS)=' "$here/kunitconfig")

build || exit 1
[ "${1:-}" = build ] && exit

TMPDIR=$out timeout -k 5 300 "$out/linux" mem=512M con=null con0=fd:1 console=tty \
	kunit_shutdown=halt kunit.filter_glob='*vdpa*' printk.time=0 \
	</dev/null >"$log" 2>&1
status=$?

# cases are indented by four, their suite's name comes before them
tr -d '\r' <"$log" | awk '
	/^    # Subtest: / { suite = $3 }
	/^    (not )?ok [0-9]+ / {
		verdict = $1 == "not" ? "not ok" : "ok"
		sub(/^    (not )?ok [0-9]+ (- )?/, "")
		print verdict " kunit: " suite ": " $0
	}'
bad='BUG:|WARNING:|KASAN:|possible recursive|circular locking|suspicious RCU|Kernel panic'
if [ $status -ne 0 ] || grep -aE "$bad" "$log"; then
	tail -n 30 "$log"
	echo "not ok kunit: the kernel ended with status $status and a clean log"
else
	echo "ok kunit: the kernel ended with status 0 and a clean log"
fi
