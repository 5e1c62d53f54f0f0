#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The vendors' drivers of the stock kernel with our bus: each must compile, link, and
# implement what we require, and all of them must be found beside ours once installed.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
release=${KVER:-$("$top/tools/build/kver.sh")}
src=$top/build/vendor/$release
root=$top/build/vendor/root

"$top/tools/build/vendor.sh" "$release" "$src"
mapfile -t drivers < <("$top/tools/build/vendor.sh" --list)

for driver in "${drivers[@]}"; do
	read -r dir module _ <<<"$driver"
	ko=$(find "$src/drivers/vdpa/$dir" -name "$module.ko")
	if [ -z "$ko" ]; then
		echo "not ok vendor: $dir builds and links"
		continue
	fi
	used=$(nm -u "$ko" | grep -cE ' (__)?_?vdpa_')
	if [ "$used" -eq 0 ]; then
		echo "not ok vendor: $dir uses no symbol of ours"
	else
		echo "ok vendor: $dir builds and links, $used symbols are ours"
	fi
	"$here/ops.py" "$top/include/linux/vdpa.h" "$ko" "$dir"
done

# what the documents say about installing: a line of it
documented() {
	local line
	line=$("$top/tools/testing/docs/example.py" "$top/Documentation/admin-guide/vdpa/installing.rst" \
		recipe-install | grep "^make $1$") &&
		INSTALL_MOD_PATH=$root KVER=$release $line -s -C "$top"
}

# a root with the distribution's modules, and ours and theirs installed over them
"$top/tools/testing/vm/kernel.sh" "$release" "$top/build/modules/$release" \
	"$top/build/kernel/$release" || exit 1
rm -rf "$root"
mkdir -p "$root/lib/modules"
cp -al "$top/build/kernel/$release/lib/modules/$release" "$root/lib/modules/"
rm -rf "$root/lib/modules/$release"/{updates,modules.*.bin,modules.dep,modules.alias,modules.symbols}
documented install && documented vendor

for driver in "${drivers[@]}"; do
	read -r dir module _ <<<"$driver"
	needs=$(/sbin/modprobe -d "$root" -S "$release" --show-depends "$module" 2>&1)
	if grep -q "updates/vdpa/$module.ko" <<<"$needs" &&
	   grep -q "updates/vdpa/vdpa.ko" <<<"$needs" &&
	   ! grep -q "kernel/drivers/vdpa" <<<"$needs"; then
		echo "ok vendor: $module is installed and found beside ours"
	else
		echo "$needs"
		echo "not ok vendor: $module is installed and found beside ours"
	fi
done

documented uninstall
if [ -z "$(find "$root/lib/modules/$release/updates" -name '*.ko' 2>/dev/null)" ] &&
   ! grep -q updates "$root/lib/modules/$release/modules.dep"; then
	echo "ok vendor: all are removed"
else
	echo "not ok vendor: all are removed"
fi

modules=()
for driver in "${drivers[@]}"; do
	read -r _ module _ <<<"$driver"
	modules+=("$module")
done
"$top/tools/testing/vm/run.sh" -k "$release" -- "$here/load.sh" "$src" "${modules[@]}" ||
	echo "not ok vendor: machine ended with status $?"
