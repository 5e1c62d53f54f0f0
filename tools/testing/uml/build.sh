#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build a User Mode Linux kernel with our sources laid over the distribution's, and print its
# directory.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$here/../../.." && pwd)/build/uml
cat "$here/config" "$here/../kunit/ours.config" >"$out.wanted.$$"
mv "$out.wanted.$$" "$out.wanted"
ARCH=um "$here/../overlay/build.sh" "$out" "$out.wanted" linux >&2
echo "$out"
