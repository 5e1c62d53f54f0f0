#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Run parts of the tests and count.
#
#   check.sh PART...		as many side by side as there are processors ($LANES)
#
# Make builds the modules before any of them, as it does not otherwise: with W=1 and sparse, endian
# checks on, and without a single warning.
#
# The quick ones, which "make check" runs:
#
#   docs	kernel-doc of every file, the SPDX tag in each, documents by the kernel's own
#		build, ioctls and attributes in them
#   ynl		the netlink policy is what the specification generates
#   uapi	our UAPI headers against the distribution's
#   kunit	KUnit suites in a User Mode Linux kernel with our sources laid over it
#   sanitized	kselftests in the same kernel, where KASAN, UBSAN, lockdep and kmemleak look on;
#		memory reached by virtual address
#   tools	unmodified drivers and tools of the administrator's
#
# and the long ones, which "make check-long" runs:
#
#   va		kselftests on the distribution's kernel, memory reached by virtual address
#   vendor	the stock vendor drivers, unmodified, against our header and symbols
#   sanitized_pinned
#		kselftests in KUnit's kernel, memory pinned; and mapped range by range
#   more_tools	examples of documents, every request by YNL's client, udev; the newest iproute2,
#		disks, joined devices, slices
#   clients	DPDK, libblkio and QEMU, unmodified, on /dev/vhost-vdpa-N
#   faults	in the KUnit kernel: each allocation and copy fails in turn
#   static	clang, 32 bit, big endian, built in, configurations at random, scripts of the kernel's
#   package	the Debian package, in a clean root
#   hw		physical and virtual PCI functions, behind an IOMMU
#   fuzz		in the KUnit kernel, for three minutes: programs at random, guided by coverage
#
# By hand:
#
#   watched	kselftests on a kernel with KASAN and all that for two processors, in the virtual
#		machine; memory reached by virtual address, and pinned
#   races	everything at once on four processors, with KASAN and with KCSAN
#   liars	with KASAN: devices that lie to the kernel's drivers
#   fuzz_smp	the fuzzer, with two processors
#   pinned	kselftests on the distribution's kernel, memory pinned
#   dma_map	the same, mapped range by range
#   foreign	KUnit suites on emulated machines of the other byte order, and of 32 bit
#   coverage	lines and branches that tests reach, by file
#   mutants	mistakes that are planted are noticed
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

ioctls() {
	grep -ohE '\bVHOST_(VDPA_)?[GS]ET_[A-Z_]+|\bVHOST_VDPA_(SUSPEND|RESUME)\b' \
		drivers/vhost/vdpa/ioctl.c | sort -u
}

ioctls_without_document() {
	local name
	ioctls | while read -r name; do
		grep -qF "\`\`$name\`\`" Documentation/userspace-api/vdpa/ioctls.rst || echo "$name"
	done
}

# ioctls, and commands and attributes of the family but for notifications
unknown_to_syzkaller() {
	local name
	{
		ioctls
		grep -ohE '\bVDPA_(CMD|ATTR)_[A-Z_]+' include/uapi/linux/vdpa.h | sort -u |
			grep -vE '_(UNSPEC|PAD|MAX|MGMTDEV_NEW|NTF)$'
	} | while read -r name; do
		grep -qw "$name" tools/testing/fuzz/syzkaller/vdpa.txt || echo "$name"
	done
}

# those that the bus and its drivers make, by the macros' names
attributes_without_document() {
	local name
	grep -rohE 'DEVICE_ATTR_(RO|RW|WO)\([a-z_]+' drivers/vdpa drivers/vhost/vdpa drivers/virtio |
		sed 's/.*(//' | sort -u | while read -r name; do
		grep -q "$name" Documentation/ABI/testing/sysfs-bus-vdpa || echo "$name"
	done
}

# those that a document promises: FIXTURE.TEST of a kselftest, or a case of KUnit's; not files
tests_without_source() {
	local name
	grep -oE '``[a-z_]+(\.[a-z_]+)?``' Documentation/driver-api/vdpa/testing.rst | tr -d '`' |
		grep -vxE 'driver_override|.*\.c' | sort -u | while read -r name; do
		case $name in
		*.*) grep -rqE "^TEST_F(_TIMEOUT)?\(${name%.*}, ${name#*.}[,)]" tools/testing/selftests ;;
		*) grep -rqE "KUNIT_CASE(_PARAM)?\($name[,)]" drivers ;;
		esac || echo "$name"
	done
}

part_docs() {
	local files
	mapfile -t files < <(find drivers include samples -name '*.[ch]' | sort)
	verdict "kernel-doc parses" no_output "$kbuild/kernel-doc" -none -Wall "${files[@]}"
	verdict "SPDX tags" spdx_everywhere
	verdict "documents build without a warning" no_output tools/testing/docs/build.sh build/docs
	verdict "every ioctl is documented" no_output ioctls_without_document
	verdict "syzkaller's descriptions know every ioctl, command and attribute" \
		no_output unknown_to_syzkaller
	verdict "every sysfs attribute is documented" no_output attributes_without_document
	verdict "every test that a document names exists" no_output tests_without_source
}

attributes_without_text() {
	python3 -c 'import sys, yaml
for attributes in yaml.safe_load(open(sys.argv[1]))["attribute-sets"]:
    for each in attributes["attributes"]:
        if each["name"] != "pad" and len(each.get("doc", "").split()) < 3:
            print(each["name"])' Documentation/netlink/specs/vdpa.yaml
}

part_ynl() {
	verdict "every attribute is documented" no_output attributes_without_text
	verdict "netlink policy is generated from its specification" \
		tools/net/vdpa-ynl-regen.sh --check
}

part_uapi() { tools/testing/uapi/check.sh; }
part_vendor() { tools/testing/vendor/check.sh; }
part_kunit() { tools/testing/kunit/run.sh; }
part_faults() { tools/testing/faults/run.sh; }
part_va() { tools/testing/selftests.sh run_va; }
part_pinned() { tools/testing/selftests.sh run_pinned; }
part_dma_map() { tools/testing/selftests.sh run_pinned_dma_map; }
part_tools() { tools/testing/selftests.sh run_tools; }
part_more_tools() { tools/testing/selftests.sh run_more_tools; }
part_clients() { tools/testing/clients/run.sh; }
part_package() { tools/testing/packaging/run.sh; }
part_hw() { tools/testing/hw/run.sh; }
part_static() { tools/testing/static/run.sh; }

part_sanitized() { tools/testing/uml/programs.sh va; }

part_sanitized_pinned() {
	tools/testing/uml/programs.sh pinned use_va=0
	tools/testing/uml/programs.sh pinned-dma-map use_va=0 batch_mapping=0
}

part_watched() {
	tools/testing/sanitized/run.sh programs va
	tools/testing/sanitized/run.sh programs pinned use_va=0
}

part_fuzz() { tools/testing/fuzz/run.sh; }
part_fuzz_smp() { tools/testing/fuzz/run.sh smp; }
part_liars() { tools/testing/fuzz/run.sh liars; }
part_races() { tools/testing/sanitized/run.sh races; }

part_foreign() {
	tools/testing/kunit/run.sh s390x
	tools/testing/kunit/run.sh i386
}

part_coverage() { tools/testing/coverage/run.sh; }
part_mutants() { tools/testing/mutants/mutants.py; }

if [ "${1:---help}" = --help ]; then
	sed -n '3,/^set/{s/^# \{0,1\}//p}' "$0"
	exit
fi

# explain LOG: what was said around each of the first failures, and at the end
explain() {
	echo "-- around failures in $1:"
	grep -avE '^#? *(ok |# +(RUN|OK) )' "$1" | grep -aE -m 5 -B 15 -A 30 '^not ok '
	echo "-- at its end:"
	tail -n 5 "$1"
}

# report PART LOG STATUS SECONDS: what a part that has ended showed, in one piece; its counts go
# to a file
report() {
	local part=$1 log=$2 status=$3 seconds=$4 passed failed skipped
	echo "== $part"
	grep -aE '^(not ok|ok .*# SKIP)' "$log"
	failed=$(grep -acE '^not ok ' "$log")
	skipped=$(grep -acE '^ok .*# SKIP' "$log")
	passed=$(($(grep -acE '^ok ' "$log") - skipped))
	if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
		echo "not ok $part ended with status $status"
		failed=1
	fi
	if [ $((passed + failed + skipped)) -eq 0 ]; then
		echo "not ok $part ran no test"
		failed=1
	fi
	[ "$failed" -eq 0 ] || explain "$log"
	echo "   $passed passed, $failed failed, $skipped skipped in $seconds s"
	echo "$passed $failed $skipped" >"$logs/$part.counts"
}

run_part() {
	local part=$1 log=$logs/check-$1.log start=$SECONDS said
	"part_$part" >"$log" 2>&1
	said=$(report "$part" "$log" $? $((SECONDS - start)))
	printf '%s\n' "$said"
}

for part in "$@"; do
	[ "$(type -t "part_$part")" = function ] || { echo "check: no part is called $part" >&2; exit 2; }
	rm -f "$logs/$part.counts"
done

trap 'trap - INT TERM; kill 0' INT TERM
tools/testing/vm/newer.sh build/newer >"$logs/newer.log" 2>&1 ||
	{ echo "check: no recent programs, QEMU is the installed one:"; tail -n 3 "$logs/newer.log"; }
lanes=${LANES:-$(nproc)}
for part in "$@"; do
	while [ "$(jobs -rp | wc -l)" -ge "$lanes" ]; do wait -n; done
	run_part "$part" &
done
wait

passed=0 failed=0 skipped=0
for part in "$@"; do
	read -r p f s <"$logs/$part.counts" || { echo "not ok $part left no counts"; f=1 p=0 s=0; }
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done

echo
echo "$passed passed, $failed failed, $skipped skipped in $SECONDS s"
[ "$failed" -eq 0 ]
