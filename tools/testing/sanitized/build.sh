#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build a kernel that looks on, or counts which lines are reached, with our sources laid over the
# distribution's, for the virtual machine.
#
#   build.sh KIND	kasan, kcsan or gcov; into build/KIND/, as vm/run.sh -K wants it
set -euo pipefail

kind=$1
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
out=$top/build/$kind/objects
root=$top/build/$kind/root

mkdir -p "$out"
# what is common, but for what the kind has otherwise
grep -vE "^($(grep -oE '^CONFIG_[A-Z0-9_]+' "$here/$kind.config" | paste -sd '|'))=" \
	"$here/common.config" | cat - "$here/$kind.config" >"$out.wanted.$$"
mv "$out.wanted.$$" "$out.wanted"
build() { "$top/tools/testing/overlay/build.sh" "$out" "$out.wanted" "$@"; }
build bzImage modules

exec {lock}>"$root.lock"
flock "$lock"
release=$(<"$out/include/config/kernel.release")
if [ ! -e "$root/release" ] || [ "$(<"$root/release")" != "$release" ] ||
   [ -n "$(find "$out" \( -name '*.ko' -o -name bzImage \) -newer "$root/release")" ]; then
	rm -rf "$root"
	INSTALL_MOD_PATH=$root build modules_install
	# a link to what the host's modprobe does not need
	rm -f "$root/lib/modules/$release/build"
	mkdir -p "$root/boot"
	cp "$out/arch/x86/boot/bzImage" "$root/boot/vmlinuz-$release"
	echo "$release" >"$root/release"
fi
