#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Generate the netlink policy from its specification, with the kernel's generator.
#
#   vdpa-ynl-regen.sh		write drivers/vdpa/netlink_gen.[ch]
#   vdpa-ynl-regen.sh --check	fail, and show how, when they are not up to date
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
spec=Documentation/netlink/specs/vdpa.yaml
ynl=$top/build/ynl
"$top/tools/net/ynl.sh"

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# the schema is looked for beside the specification's folder; by the empty file the generator
# knows a kernel tree's root. It makes a table of multicast groups that it refers to from the
# family's structure, which it does not make for this protocol.
mkdir -p "$out/$(dirname $spec)"
cp "$ynl"/Documentation/netlink/*.yaml "$out/Documentation/netlink/"
touch "$out/MAINTAINERS"
sed '/^mcast-groups:/,/^operations:/{/^operations:/!d}' "$top/$spec" >"$out/$spec"
# the distribution's python: its yaml and jsonschema modules are what we install
for part in header source; do
	[ $part = header ] && file=netlink_gen.h || file=netlink_gen.c
	timeout 60 /usr/bin/python3 "$ynl/tools/net/ynl/ynl-gen-c.py" \
		--mode kernel --$part --spec "$out/$spec" -o "$out/$file"
done

if [ "${1:-}" = --check ]; then
	diff -u "$top/drivers/vdpa/netlink_gen.h" "$out/netlink_gen.h"
	diff -u "$top/drivers/vdpa/netlink_gen.c" "$out/netlink_gen.c"
else
	cp "$out"/netlink_gen.[ch] "$top/drivers/vdpa/"
fi
