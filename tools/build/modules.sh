#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the modules against the headers of an installed kernel.
#
#   modules.sh RELEASE OUTPUT [make argument...]
#
# The sources are linked into OUTPUT, so that several kernels and kinds of build
# can stand side by side and the source tree stays clean.
set -euo pipefail

release=$1
output=$2
shift 2

top=$(cd "$(dirname "$0")/../.." && pwd)
headers=/usr/src/linux-headers-$release

if [ ! -e "$headers/Makefile" ]; then
	echo "modules: no headers of $release here (KVER=... chooses)" >&2
	exit 1
fi

mkdir -p "$output"
# links to files that are gone would still be found by wildcards
find "$output" -xtype l -delete
cp -rsf "$top/Kbuild" "$top/drivers" "$top/include" "$top/samples" "$output/"

exec make -s -C "$headers" M="$output" -j"$(nproc)" \
	CONFIG_VDPA=m CONFIG_VDPA_RING=m CONFIG_VIRTIO_VDPA=m \
	CONFIG_VHOST_VDPA=m CONFIG_VDPA_SIM=m CONFIG_VDPA_SIM_NET=m \
	CONFIG_VDPA_SIM_BLOCK=m CONFIG_VP_VDPA=m CONFIG_VDPA_SLICE=m CONFIG_VDPA_SLICE_SIM=m \
	CONFIG_VDPA_LIAR=m CONFIG_SAMPLE_VDPA_RNG=m CONFIG_SAMPLE_VDPA_INSPECT=m \
	CONFIG_MODULE_SRCVERSION_ALL=y "$@" modules
