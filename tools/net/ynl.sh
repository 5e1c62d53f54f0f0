#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's YNL tools, from its source package, with our specification where they look
# for it: build/ynl/tools/net/ynl/cli.py for one.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
ynl=$top/build/ynl
spec=Documentation/netlink/specs/vdpa.yaml
tarball=$(printf '%s\n' /usr/src/linux-source-6.12*.tar.xz | sort -V | tail -n 1)

# one at a time: tests run side by side
mkdir -p "$top/build"
exec {lock}>"$top/build/.ynl.lock"
flock "$lock"

# the schema is looked for beside the specification's folder
if [ ! -e "$ynl/tools/net/ynl/ynl-gen-c.py" ]; then
	mkdir -p "$ynl"
	tar -xf "$tarball" -C "$ynl" --strip-components=1 --wildcards \
		'*/tools/net/ynl/*.py' \
		'*/Documentation/netlink/*.yaml'
fi
mkdir -p "$ynl/Documentation/netlink/specs"
cmp -s "$top/$spec" "$ynl/$spec" || cp "$top/$spec" "$ynl/$spec"
touch "$ynl/MAINTAINERS"	# by this file the generator knows a kernel tree's root
