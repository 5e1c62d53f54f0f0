#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build a User Mode Linux kernel with our sources laid over the distribution's, and print its
# directory. It has sanitizers; with $COVERAGE it counts which lines are reached instead.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
kind=${COVERAGE:+coverage}
kind=${kind:-sanitized}
out=$(cd "$here/../../.." && pwd)/build/uml/$kind
mkdir -p "$out"
cat "$here/config" "$here/../kunit/ours.config" "$here/$kind.config" >"$out.wanted.$$"
mv "$out.wanted.$$" "$out.wanted"
ARCH=um "$here/../overlay/build.sh" "$out" "$out.wanted" linux >&2
echo "$out"
