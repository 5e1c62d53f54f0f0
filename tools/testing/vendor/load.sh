#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: the vendors' drivers load beside ours, find no hardware, and unload.
#
#   load.sh DIRECTORY MODULE...	DIRECTORY has what was built
set -uo pipefail

source tools/testing/vm/lib.sh

suite=vendor

# load FILE: a module and what it depends on, which may be in the same directory
load() {
	local file=$1 name needed
	name=$(basename "$file" .ko)
	[ -e "/sys/module/${name//-/_}" ] && return
	for needed in $(modinfo -F depends "$file" | tr ',' ' '); do
		[ -e "/sys/module/${needed//-/_}" ] && continue
		file_of "$needed" >/dev/null && { load "$(file_of "$needed")" || return 1; continue; }
		modprobe "$needed" || return 1
	done
	insmod "$file"
}

file_of() { find "$built" -name "$1.ko" | grep .; }

loads() {
	load "$(file_of "$1")" && [ "$(modinfo -F srcversion "$(file_of "$1")")" = \
		"$(cat "/sys/module/$1/srcversion" 2>/dev/null)" ] && rmmod "$1"
}

built=$1
shift
modprobe vdpa || exit 1
for module in "$@"; do
	test_case "$module loads with our bus" loads "$module"
done
