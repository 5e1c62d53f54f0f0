#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What can be said of the sources without running them: other compilers, other machines, other
# configurations, the kernel's own scripts.
#
#   run.sh [clang] [i386] [s390x] [builtin] [combinations] [coccinelle] [checkpatch] [nospec]
#
# default: all. $COMBINATIONS is how many configurations at random are built (default 6).
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
tree=$top/build/tree
out=$top/build/static
cd "$top" || exit 1
mkdir -p "$out"
tools/testing/overlay/prepare.sh "$tree" || exit 1
export CCACHE_DIR=${CCACHE_DIR:-$top/build/ccache}

# our directories, in a tree; virtio's has our transport
dirs=(drivers/vdpa/ drivers/vhost/ drivers/virtio/)

verdict() {
	if [ "$2" -eq 0 ]; then echo "ok static: $1"; else echo "not ok static: $1"; fi
}

# compile NAME FRAGMENT ARGUMENT...: our directories, warnings are errors
compile() {
	local name=$1 fragment=$2 log=$out/$1.log
	shift 2
	mkdir -p "$out/$name"
	rm -rf "$out/$name"/drivers/{vdpa,vhost,virtio}
	make -s -C "$tree" O="$out/$name" "$@" KCONFIG_ALLCONFIG="$fragment" allnoconfig >"$log" 2>&1 &&
		make -s -C "$tree" O="$out/$name" "$@" -j"$(nproc)" W=1 KCFLAGS=-Werror \
			prepare "${dirs[@]}" >>"$log" 2>&1 ||
		{ tail -n 30 "$log"; return 1; }
	[ -n "$(find "$out/$name/drivers/vdpa" -name '*.o' | head -n 1)" ] ||
		{ echo "$name: nothing was built"; return 1; }
}

# everything of ours, built in or as modules
fragment() {
	cat <<-END
		CONFIG_64BIT=y
		CONFIG_MODULES=y
		CONFIG_SMP=y
		CONFIG_PCI=y
		CONFIG_PCI_MSI=y
		CONFIG_NET=y
		CONFIG_INET=y
		CONFIG_BLOCK=y
		CONFIG_MMU=y
		CONFIG_EVENTFD=y
		CONFIG_VIRTIO_MENU=y
		CONFIG_VHOST_MENU=y
		CONFIG_RUNTIME_TESTING_MENU=y
		CONFIG_DEBUG_FS=y
	END
	sed "s/$/=$1/" <<-END
		CONFIG_VDPA
		CONFIG_VDPA_SIM
		CONFIG_VDPA_SIM_NET
		CONFIG_VDPA_SIM_BLOCK
		CONFIG_VP_VDPA
		CONFIG_VDPA_SLICE
		CONFIG_VDPA_SLICE_SIM
		CONFIG_VHOST_VDPA
		CONFIG_VIRTIO_VDPA
	END
}

part_clang() {
	fragment m >"$out/modules.config"
	compile clang "$out/modules.config" LLVM=-16
	verdict "clang" $?
}

part_i386() {
	fragment m >"$out/modules.config"
	compile i386 "$out/modules.config" ARCH=i386
	verdict "32 bit, i386" $?
}

part_s390x() {
	fragment m >"$out/modules.config"
	compile s390x "$out/modules.config" ARCH=s390 CROSS_COMPILE=s390x-linux-gnu-
	verdict "big endian, s390x" $?
}

# all in one image, beside their neighbours: no two have a name for something else
part_builtin() {
	{ fragment y; echo CONFIG_VIRTIO_PCI=y; echo CONFIG_VIRTIO_MMIO=y; } >"$out/builtin.config"
	compile builtin "$out/builtin.config" &&
		(cd "$out/builtin" && ld -r -o all.o --whole-archive "${dirs[@]/%/built-in.a}" &&
			nm all.o | grep ' T vp_modern_probe$' >/dev/null)
	verdict "built in, beside the neighbours" $?
}

# each of our options built in, a module or absent, at random; the seed repeats it
part_combinations() {
	local i seed=${SEED:-$RANDOM} words=(y m n) failed=0
	echo "# seed $seed"
	RANDOM=$seed
	for i in $(seq "${COMBINATIONS:-6}"); do
		fragment X | while read -r line; do
			echo "${line/=X/=${words[RANDOM % 3]}}"
		done >"$out/combination.config"
		# without the bus there is nothing of ours to be built
		sed -i 's/^CONFIG_VDPA=n/CONFIG_VDPA=m/' "$out/combination.config"
		compile combination "$out/combination.config" ||
			{ grep -E 'VDPA|VHOST' "$out/combination.config"; failed=1; }
	done
	verdict "configurations at random" $failed
}

# each script that reports, one by one: the kernel's target stops at the first that cannot
part_coccinelle() {
	local script options dir log=$out/coccinelle.log scripts=0
	: >"$log"
	while read -r script; do
		options=$(sed -n 's,^// *Options: *,,p' "$script" | head -n 1)
		scripts=$((scripts + 1))
		# shellcheck disable=SC2086 # words
		for dir in drivers/vdpa drivers/vhost/vdpa; do
			# elsewhere than in the tree, whose settings are for a repository of git
			(cd "$out" && spatch -D report --no-show-diff --very-quiet --cocci-file "$script" \
				$options --dir "$top/$dir" -I "$tree/include") 2>>"$out/coccinelle.err" |
				grep -E '^[^ ]+:[0-9]+' >>"$log"
		done
	done < <(grep -lr '^virtual report' "$tree/scripts/coccinelle" --include='*.cocci' | sort)
	cat "$log"
	echo "# $scripts scripts"
	[ "$scripts" -gt 40 ] && [ ! -s "$log" ]
	verdict "scripts of the kernel for Coccinelle find nothing" $?
}

# Not heeded, with a reason in the source: yield() of a worker that shares a processor with its
# driver. And a table of initialisers, and an array, which checkpatch takes for an expression and
# a function.
part_checkpatch() {
	local files
	mapfile -t files < <(find drivers include samples/vdpa/vdpa_*.c -name '*.[ch]' | sort)
	# it leaves a file where it stands
	(cd "$out" && "$tree/scripts/checkpatch.pl" --no-tree --root "$tree" --terse --no-summary --file \
		--max-line-length=140 \
		--ignore FILE_PATH_CHANGES,YIELD,COMPLEX_MACRO,FUNCTION_ARGUMENTS \
		"${files[@]/#/$top/}") >"$out/checkpatch.log" 2>&1
	cat "$out/checkpatch.log"
	[ ! -s "$out/checkpatch.log" ]
	verdict "checkpatch finds nothing" $?
}

# what userspace counts by is clamped where it is used, lest the processor guesses beyond
part_nospec() {
	local place file name bad=0
	for place in ioctl.c:vhost_vdpa_check_index ioctl.c:vhost_vdpa_set_group_asid \
		iotlb.c:vhost_vdpa_msg_as mmap.c:array_index_nospec; do
		file=drivers/vhost/vdpa/${place%:*} name=${place#*:}
		awk -v name="$name" '$0 ~ name { inside = 1 } inside && /array_index_nospec/ { found = 1 }
			/^}/ { inside = 0 } END { exit !found }' "$file" || { echo "$place"; bad=1; }
	done
	verdict "indices of userspace's are clamped" $bad
}

[ $# -gt 0 ] || set -- clang i386 s390x builtin combinations coccinelle checkpatch nospec
for part in "$@"; do
	"part_$part"
done
