#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In a machine whose kernel counts what is executed: write the counts down.
#
#   collect.sh DIR
set -euo pipefail

cd /sys/kernel/debug/gcov
# files there have no size, so they are read to their end
find . -name '*.gcda' | while read -r file; do
	mkdir -p "$1/${file%/*}"
	cat "$file" >"$1/$file"
done
