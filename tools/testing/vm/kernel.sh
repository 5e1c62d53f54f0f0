#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Get the distribution's prebuilt kernel of a release, without installing it, and
# put our modules where it looks for them first.
#
#   kernel.sh RELEASE MODULES OUTPUT
#
# OUTPUT gets boot/vmlinuz-RELEASE and lib/modules/RELEASE, the latter with the
# modules of the build directory MODULES in updates/, which modprobe prefers to the
# kernel's own.
set -euo pipefail

release=$1
modules=$2
output=$3

fetch() {
	local tmp
	tmp=$(mktemp -d -p "$(dirname "$output")")

	if ! (cd "$tmp" && apt-get -qq download "linux-image-$release" 2>"$tmp/log"); then
		# package lists that were never fetched, or too long ago
		if [ "$(id -u)" -eq 0 ]; then apt-get -qq update; else sudo apt-get -qq update; fi
		(cd "$tmp" && apt-get -qq download "linux-image-$release")
	fi
	mkdir "$tmp/root"
	dpkg-deb -x "$tmp"/linux-image-*.deb "$tmp/root"
	rm -rf "$output"
	# usr-merged images keep their modules below usr
	[ -d "$tmp/root/lib/modules" ] || mv "$tmp/root/usr/lib" "$tmp/root/lib"
	mv "$tmp/root" "$output"
	rm -rf "$tmp"
}

mkdir -p "$(dirname "$output")"
# one at a time: tests run side by side
exec {lock}>"$output.lock"
flock "$lock"
[ -e "$output/lib/modules/$release/modules.builtin" ] || fetch

updates=$output/lib/modules/$release/updates
stamp=$output/modules.stamp
if [ ! -e "$stamp" ] || [ -n "$(find "$modules" -name '*.ko' -newer "$stamp")" ]; then
	rm -rf "$updates"
	mkdir -p "$updates"
	find "$modules" -name '*.ko' -exec cp -t "$updates" {} +
	PATH=$PATH:/sbin:/usr/sbin depmod -b "$output" "$release"
	touch "$stamp"
fi
