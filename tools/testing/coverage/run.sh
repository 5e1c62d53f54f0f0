#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Lines and branches that the tests reach: parts of the tests are run again, on kernels that count.
#
#   run.sh [PART...]		of those below; default: all
#   run.sh report [--missing]	of what was run last
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
cd "$top" || exit 1

part_kunit() {
	tools/testing/sanitized/build.sh gcov_kunit &&
		tools/testing/vm/run.sh -K build/gcov_kunit/root -a 'kunit.filter_glob=*vdpa*' -t 300 \
			-o build/vm/kunit -- tools/testing/coverage/kunit.sh
}

part_faults() {
	tools/testing/vm/run.sh -t 1800 -o build/vm/faults -- tools/testing/faults/machine.sh
	tools/testing/vm/run.sh -t 1800 -o build/vm/faults-pinned -- \
		tools/testing/faults/machine.sh use_va=0
}

part_va() { tools/testing/selftests.sh run_va; }
part_pinned() { tools/testing/selftests.sh run_pinned; }
part_dma_map() { tools/testing/selftests.sh run_pinned_dma_map; }
part_tools() { tools/testing/selftests.sh run_more_tools; }
part_hw() { tools/testing/hw/run.sh; }

report() { "$here/report.py" "$@" build/vm/*/gcov; }

if [ "${1:-}" = report ]; then
	report "${@:2}"
	exit
fi
if [ $# -eq 0 ]; then
	rm -rf build/vm/*/gcov
	set -- kunit faults va pinned dma_map tools hw
fi
tools/testing/sanitized/build.sh gcov || { echo "not ok coverage: the kernel is built"; exit 1; }
export COVERAGE=1
for part in "$@"; do "part_$part"; done
report --missing
