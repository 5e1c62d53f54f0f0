#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build what the distribution's kernel package does not ship of the stock vDPA, its
# simulators and vringh, from the package of its sources: unread, only to be measured.
#
#   stock.sh RELEASE OUTPUT
set -euo pipefail

release=$1
output=$2
tarball=$(printf '%s\n' /usr/src/linux-source-6.12*.tar.xz | sort -V | tail -n 1)

[ "$output/vdpa_sim_net.ko" -nt "$tarball" ] && exit

rm -rf "$output"
mkdir -p "$output/src"
tar -xf "$tarball" -C "$output/src" --strip-components=1 --wildcards \
	'*/drivers/vdpa/vdpa_sim/*' '*/drivers/vhost/vringh.c'
echo 'obj-m += drivers/vhost/vringh.o drivers/vdpa/vdpa_sim/' >"$output/src/Kbuild"
make -s -C "/usr/src/linux-headers-$release" M="$output/src" -j"$(nproc)" \
	CONFIG_VDPA_SIM=m CONFIG_VDPA_SIM_NET=m CONFIG_VDPA_SIM_BLOCK=m modules
find "$output/src" -name '*.ko' -exec cp -t "$output" {} +
