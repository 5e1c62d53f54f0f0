#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Measure against the stock vDPA in one boot, in turns, on a machine whose clock counts
# instructions; how devices share processors ("scale"), and administrators their locks
# ("parallel", "latency"), on one with two of them and an ordinary clock.
#
#   run.sh [-r ROUNDS] [FIGURE...]
#
# Prints a table of medians with their spread, the ratio to stock, and whether that is
# what is wanted; fails if it is not.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
cd "$top"
release=${KVER:-$(tools/build/kver.sh)}
rounds=3
if [ "${1:-}" = -r ]; then
	rounds=$2
	shift 2
fi

tools/testing/selftests.sh tools
make -s -C "$here" OUTPUT="$top/build/bench" UAPI="$top/build/uapi"
"$here/stock.sh" "$release" "$top/build/bench/stock"

# measure OPTION... -- FIGURE...
measure() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	tools/testing/vm/run.sh "${options[@]}" -k "$release" -m 4096 -t 3000 -o build/vm/bench \
		-- "$here/machine.sh" "$rounds" "$top/build/bench/stock" "$@"
}

{
	counted=() timed=()
	for figure in "$@"; do
		case $figure in
		scale | parallel | latency) timed+=("$figure") ;;
		*) counted+=("$figure") ;;
		esac
	done
	[ $# -gt 0 ] || timed=(scale parallel latency)
	[[ $# -gt 0 && ${#counted[@]} -eq 0 ]] || measure -i -- "${counted[@]}"
	[ ${#timed[@]} -eq 0 ] || measure -- "${timed[@]}"
} | tee build/bench/figures
exec "$here/report.py" build/bench/figures
