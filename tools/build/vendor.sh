#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the vDPA drivers that vendors keep in the stock kernel, unmodified, against our
# header and our symbols.
#
#   vendor.sh RELEASE OUTPUT	build; the log is OUTPUT/log
#   vendor.sh --list		directory, module and option of each
#
# Only the vendors' directories are unpacked. Two of them use modules that the distribution
# does not ship, vringh and pds_core: these are built beside them.
set -uo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)

drivers=(
	"ifcvf ifcvf IFCVF"
	"mlx5 mlx5_vdpa MLX5_VDPA_NET"
	"pds pds_vdpa PDS_VDPA"
	"octeon_ep octep_vdpa OCTEONEP_VDPA"
	"solidrun snet_vdpa SNET_VDPA"
	"alibaba eni_vdpa ALIBABA_ENI_VDPA"
)

if [ "${1:-}" = --list ]; then
	printf '%s\n' "${drivers[@]}"
	exit
fi

release=$1
output=$2
tarball=$(printf '%s\n' /usr/src/linux-source-6.12*.tar.xz | sort -V | tail -n 1)

if [ ! -e "$output/drivers/net/ethernet/amd/pds_core/Makefile" ]; then
	mkdir -p "$output"
	tar -xf "$tarball" -C "$output" --strip-components=1 --wildcards \
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
} >"$output/Kbuild"

options=(CONFIG_MLX5_VDPA=y CONFIG_PDS_CORE=m CONFIG_MODULE_SRCVERSION_ALL=y)
for driver in "${drivers[@]}"; do
	options+=("CONFIG_${driver##* }=m")
done
make -s -k -C "/usr/src/linux-headers-$release" M="$output" -j"$(nproc)" "${options[@]}" \
	KBUILD_EXTRA_SYMBOLS="$top/build/modules/$release/Module.symvers" \
	modules >"$output/log" 2>&1
status=$?
[ $status -eq 0 ] || tail -n 30 "$output/log"
exit $status
