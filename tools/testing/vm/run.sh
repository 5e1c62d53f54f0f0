#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Run a script in a virtual machine: the distribution's own, prebuilt kernel, the
# host's / read-only under a layer in memory, our modules before the kernel's own.
#
#   run.sh [option...] [--] SCRIPT [argument...]
#
#   -k RELEASE	kernel (default: the newest 6.12 whose headers are installed)
#   -K DIR	another kernel: DIR/boot and DIR/lib/modules, its release in DIR/release
#   -t SECONDS	what it takes at most (default 120); three times that is waited, for the machine
#		may be one of several
#   -c CPUS	processors (default 2)
#   -m MiB	memory (default 2048)
#   -a "ARGS"	more for the kernel's command line
#   -q "ARGS"	more arguments for QEMU
#   -e PROGRAM	QEMU (default: a recent one if newer.sh got it, which it does for the tests; for -i
#		the installed one)
#   -o DIR	kept output directory; the script finds it as /run/vm/out
#   -i		count instructions instead of time: one processor, repeatable figures
#   -s		after SCRIPT, a shell on this terminal
#
# With $COVERAGE the kernel is one that counts which lines are reached, and the counts are left in
# the output directory.
#
# Standard output is the script's. The exit status is the script's too, unless the
# kernel's log holds a line that it should not (WARN, BUG, Oops, hung task, lockdep):
# then 99 and the lines; 98 when the machine did not come to its end in time.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
source "$here/ended.sh"
release= limit=120 cpus=2 memory=2048 append= extra= out= icount= shell=
kernel=${COVERAGE:+$top/build/gcov/root}
emulator=
while getopts k:K:t:c:m:a:q:e:o:is option; do
	case $option in
	k) release=$OPTARG ;;
	K) kernel=$(cd "$OPTARG" && pwd) ;;
	t) limit=$OPTARG ;;
	c) cpus=$OPTARG ;;
	m) memory=$OPTARG ;;
	a) append=$OPTARG ;;
	q) extra=$OPTARG ;;
	e) emulator=$OPTARG ;;
	o) out=$OPTARG ;;
	i) icount=1 ;;
	s) shell=1 ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))

# before release 8.1, several processors may go on with a translation of code that was changed
# while it was translated: of a breakpoint, say, that the kernel took away
newer=$top/build/newer/bin/qemu-system-x86_64
if [ -z "$emulator" ] && [ -z "$icount" ] && [ -x "$newer" ]; then
	emulator=$newer
fi

if [ -n "$kernel" ]; then
	release=$(<"$kernel/release")
else
	release=${release:-${KVER:-$("$top/tools/build/kver.sh")}}
	kernel=$top/build/kernel/$release
	"$here/kernel.sh" "$release" "$top/build/modules/$release" "$kernel"
fi
initramfs=$top/build/vm/initramfs-$release.gz
"$here/initramfs.sh" "$release" "$kernel" "$initramfs"

if [ -z "$out" ]; then
	mkdir -p "$top/build/vm"
	out=$(mktemp -d "$top/build/vm/run-XXXXXX")
	trap 'rm -rf "$out"' EXIT
else
	rm -rf "$out"
	mkdir -p "$out"
	out=$(cd "$out" && pwd)
fi

# arguments reach the script through a file: the kernel's command line is no shell
{
	printf 'set --'
	[ $# -lt 2 ] || printf ' %q' "${@:2}"
	printf '\nsource %q\n' "$(realpath "$1")"
} >"$out/script"

machine=(-accel tcg,thread=multi -cpu max -smp "$cpus")
if [ -n "$icount" ]; then
	# without erms: the emulator executes those one byte at a time
	machine=(-accel tcg,thread=single -icount shift=0,sleep=off
		-cpu max,-erms,-fsrm -smp 1)
fi

console=(-chardev "file,id=console,path=$out/stdout")
if [ -n "$shell" ]; then
	console=(-chardev stdio,id=console,mux=off,signal=off)
fi

cmdline=(console=ttyS0 quiet loglevel=7 ignore_loglevel printk.time=1
	panic=-1 oops=panic sysctl.kernel.hung_task_timeout_secs=40
	vm.script=/run/vm/out/script "vm.cwd=$PWD"
	"vm.modules=$kernel/lib/modules" ${shell:+vm.shell=1} ${append:+"$append"})

# shellcheck disable=SC2206 # $extra: the caller's words
qemu=("${emulator:-qemu-system-x86_64}" -nodefaults -no-user-config -display none -no-reboot
	-M q35 "${machine[@]}" -m "$memory"
	-kernel "$kernel/boot/vmlinuz-$release" -initrd "$initramfs"
	-append "${cmdline[*]}" -serial "file:$out/console"
	-device virtio-serial-pci "${console[@]}" -device virtconsole,chardev=console
	-virtfs "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap"
	-virtfs "local,path=$out,mount_tag=out,security_model=none"
	$extra)

status=98
if [ -n "$shell" ]; then
	"${qemu[@]}" || true
else
	: >"$out/stdout"
	timeout -k 5 $((3 * limit)) "${qemu[@]}" &
	pid=$!
	tail -n +1 -f --pid="$pid" -s 0.2 "$out/stdout" | tr -d '\r'
	wait "$pid" || true
fi
[ -e "$out/status" ] && status=$(<"$out/status")

# races that KCSAN finds are others' business when no code of ours is near the top of either stack
awk '/BUG: KCSAN/ { inside = 1; report = ""; ours = 0 }
	!inside { print; next }
	{ report = report $0 "\n" }
	/ to 0x[0-9a-f]+ of [0-9]+ bytes by / { frame = 0 }
	++frame <= 5 && /\[(vdpa|vhost_vdpa|virtio_vdpa|vp_vdpa)[a-z_]*\]/ { ours = 1 }
	/Reported by Kernel Concurrency Sanitizer/ { if (ours) printf "%s", report; inside = 0 }
	END { if (inside) printf "%s", report }' "$out/console" >"$out/ours"
if grep -aE "$bad" "$out/ours" >"$out/bad-lines"; then
	echo "vm: the kernel's log holds what it should not:" >&2
	grep -aE -A 25 "$bad" "$out/ours" | head -n 120 | tr -d '\r' >&2
	status=99
elif [ "$status" -eq 98 ]; then
	echo "vm: no end within $((3 * limit)) s; the kernel's last words:" >&2
	tail -n 25 "$out/console" | tr -d '\r' >&2
fi
exit "$status"
