#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Print the newest 6.12 release whose headers are installed, or nothing.
set -euo pipefail

arch=$(dpkg --print-architecture)
for dir in /usr/src/linux-headers-6.12.*-"$arch"; do
	release=${dir#/usr/src/linux-headers-}
	case $release in
	*-rt-* | *-cloud-*) ;;
	*) [ -e "$dir/Makefile" ] && echo "$release" ;;
	esac
done | sort -V | tail -n 1
