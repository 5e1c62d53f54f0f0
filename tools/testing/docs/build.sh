#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Our documents, by the kernel's own build of documentation. Prints what that complains of.
#
#   build.sh OUTPUT
set -uo pipefail

top=$(cd "$(dirname "$0")/../../.." && pwd)
output=$(realpath -m "$1")
dirs="admin-guide/vdpa driver-api/vdpa userspace-api/vdpa"

cd "$top" || exit 1
tools/testing/overlay/prepare.sh build/tree || exit 1
rm -rf "$output"
mkdir -p "$output"
for dir in $dirs; do
	make -s -C build/tree O="$output" SPHINXDIRS="$dir" htmldocs >"$output/log" 2>&1 ||
		{ echo "$dir: the build failed"; tail -n 20 "$output/log"; exit 1; }
	grep -E 'WARNING|ERROR|Error|warning:' "$output/log"
	[ -e "$output/Documentation/output/$dir/index.html" ] ||
		[ -e "$output/Documentation/output/index.html" ] ||
		{ echo "$dir: there is no index.html"; exit 1; }
done
