#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The vDPA drivers that vendors keep in the stock kernel, unmodified, against our
# header and our symbols: each must compile, link, and implement what we require.
#
# Only the vendors' directories are unpacked. Two of them use modules that the
# distribution does not ship, vringh and pds_core: these are built beside them.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
release=${KVER:-$("$top/tools/build/kver.sh")}
headers=/usr/src/linux-headers-$release
tarball=$(printf '%s\n' /usr/src/linux-source-6.12*.tar.xz | sort -V | tail -n 1)
src=$top/build/vendor/$release
log=$top/build/logs/vendor-build.log
mkdir -p "$(dirname "$log")"

# directory, module and option of each
drivers=(
	"ifcvf ifcvf IFCVF"
	"mlx5 mlx5_vdpa MLX5_VDPA_NET"
	"pds pds_vdpa PDS_VDPA"
	"octeon_ep octep_vdpa OCTEONEP_VDPA"
	"solidrun snet_vdpa SNET_VDPA"
	"alibaba eni_vdpa ALIBABA_ENI_VDPA"
)

if [ ! -e "$src/drivers/net/ethernet/amd/pds_core/Makefile" ]; then
	mkdir -p "$src"
	tar -xf "$tarball" -C "$src" --strip-components=1 --wildcards \
		'*/drivers/vdpa/ifcvf/*' '*/drivers/vdpa/mlx5/*' \
		'*/drivers/vdpa/pds/*' '*/drivers/vdpa/octeon_ep/*' \
		'*/drivers/vdpa/solidrun/*' '*/drivers/vdpa/alibaba/*' \
		'*/drivers/vhost/vringh.c' \
		'*/drivers/net/ethernet/amd/pds_core/*' || exit 1
fi

{
	echo "LINUXINCLUDE := -I$top/include -I\$(src)/drivers/vdpa/mlx5/core \$(LINUXINCLUDE)"
	echo 'obj-m += drivers/vhost/vringh.o drivers/net/ethernet/amd/pds_core/'
	for driver in "${drivers[@]}"; do
		echo "obj-m += drivers/vdpa/${driver%% *}/"
	done
} >"$src/Kbuild"

options=(CONFIG_MLX5_VDPA=y CONFIG_PDS_CORE=m)
for driver in "${drivers[@]}"; do
	options+=("CONFIG_${driver##* }=m")
done
make -s -k -C "$headers" M="$src" -j"$(nproc)" "${options[@]}" \
	KBUILD_EXTRA_SYMBOLS="$top/build/modules/$release/Module.symvers" \
	modules >"$log" 2>&1
[ $? -eq 0 ] || tail -n 30 "$log"

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
