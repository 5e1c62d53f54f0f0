#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build a kernel with our sources laid over the distribution's: with the options that are wanted,
# what those need, and nothing else.
#
#   build.sh OUT WANTED TARGET...	WANTED lists the options, one a line; ARCH and the like
#					are the environment's
#
# Objects are kept in OUT and the compiler's in its cache, so that the second time is short. One
# build at a time in OUT: tests run side by side.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
tree=$top/build/tree
out=$1
wanted=$2
shift 2
# in its depend mode the cache costs next to nothing when it is cold; half of the build otherwise
export CCACHE_DIR=${CCACHE_DIR:-$top/build/ccache} CCACHE_DEPEND=1 CCACHE_MAXSIZE=4G CCACHE_BASEDIR=$top
export KBUILD_BUILD_TIMESTAMP=0 KBUILD_BUILD_USER=vdpa KBUILD_BUILD_HOST=vdpa

mkdir -p "$out"
exec {lock}>"$out.lock"
flock "$lock"
"$here/prepare.sh" "$tree"

build() { make -s -C "$tree" O="$out" CC="ccache ${CROSS_COMPILE:-}gcc" -j"$(nproc)" "$@"; }

if ! cmp -s "$wanted" "$out/wanted"; then
	build KCONFIG_ALLCONFIG="$wanted" allnoconfig
	# options that are not what was asked for would quietly test less
	if grep -E '^CONFIG_[A-Z0-9_]*=[^n]' "$wanted" | grep -vxFf "$out/.config"; then
		echo "build: the configuration lacks these" >&2
		exit 1
	fi
	cp "$wanted" "$out/wanted"
fi
build "$@"
