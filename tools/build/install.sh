#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Install modules where modprobe looks before the kernel's own, or take them away.
#
#   install.sh RELEASE DIRECTORY	every module below DIRECTORY
#   install.sh RELEASE --remove	all that were installed
#
# $INSTALL_MOD_PATH goes before /lib/modules, for a root that is not this machine's.
set -euo pipefail

release=$1
from=$2
root=${INSTALL_MOD_PATH:-}
modules=$root/lib/modules/$release
updates=$modules/updates/vdpa
PATH=$PATH:/sbin:/usr/sbin

if [ ! -d "$modules" ]; then
	echo "install: there is no $modules" >&2
	exit 1
fi

if [ "$from" = --remove ]; then
	rm -rf "$updates"
else
	mkdir -p "$updates"
	# samples and devices for tests are no use there
	find "$from" -name '*.ko' -not -path '*/samples/*' -not -path '*/tests/*' \
		-exec install -m 644 -t "$updates" {} +
fi
depmod -b "${root:-/}" "$release"
