#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The KUnit suites, which run when their kernel boots: a line for each test.
#
#   run.sh [MACHINE]	uml (the default), with sanitizers; or emulated: s390x, which stores the most
#			significant byte first, or i386, of 32 bit, with memory that the kernel
#			does not have mapped
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
source "$here/../vm/ended.sh"
machine=${1:-uml}
log=$top/build/logs/kunit-$machine.log
mkdir -p "$top/build/logs"

# emulated ARCH COMPILER KERNEL QEMU ARGUMENT...: the kernel panics when it has run the suites, for
# it finds nothing to do, and the machine ends
emulated() {
	local arch=$1 compiler=$2 kernel=$3 out=$top/build/kunit/$machine
	shift 3

	mkdir -p "$out"
	cat "$here/$machine.config" "$here/ours.config" >"$out.wanted"
	ARCH=$arch CROSS_COMPILE=$compiler "$here/../overlay/build.sh" "$out" "$out.wanted" \
		"$(basename "$kernel")" >&2 || return
	timeout -k 5 1200 "$@" -nodefaults -no-reboot -nographic -serial stdio \
		-kernel "$out/$kernel" </dev/null | tr -d '\r' | sed -E 's/^\[ *[0-9.]+\] //' >"$log"
	# it has no process to start
	sed -i '/Kernel panic - not syncing: \(VFS: Unable to mount root\|No working init\)/,$d' "$log"
	! grep -aE "$bad" "$log" || return 99
}

case $machine in
uml)	"$here/../uml/machine.sh" 300 /bin/true kunit.enable=1 loglevel=7 \
		kunit.filter_glob='*vdpa*' >"$log" ;;
s390x)	emulated s390 s390x-linux-gnu- arch/s390/boot/bzImage qemu-system-s390x -M s390-ccw-virtio \
		-cpu max -smp 2 -m 1024 -append 'kunit.filter_glob=*vdpa* panic=-1' ;;
i386)	emulated i386 '' arch/x86/boot/bzImage qemu-system-i386 -M q35 -cpu Penryn -smp 2 -m 2048 \
		-append 'console=ttyS0 kunit.filter_glob=*vdpa* panic=-1' ;;
*)	exit 2 ;;
esac
status=$?

# cases are indented by four, their suite's name comes before them
awk -v machine="$machine" '
	/^    # Subtest: / { suite = $3 }
	/^    (not )?ok [0-9]+ / {
		verdict = $1 == "not" ? "not ok" : "ok"
		sub(/^    (not )?ok [0-9]+ (- )?/, "")
		print verdict " kunit " machine ": " suite ": " $0
	}' "$log"
if [ $status -ne 0 ]; then
	tail -n 30 "$log"
	echo "not ok kunit $machine: the kernel ended with status $status"
elif ! grep -aq '^# Totals: pass:[1-9]' "$log"; then
	echo "not ok kunit $machine: suites were run"
else
	echo "ok kunit $machine: the kernel ended with status 0 and a clean log"
fi
