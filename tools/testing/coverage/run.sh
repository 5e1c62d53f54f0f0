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

part_kunit() { tools/testing/kunit/run.sh; }
part_faults() { tools/testing/faults/run.sh; }
part_va() { tools/testing/uml/programs.sh va; }
part_pinned() { tools/testing/uml/programs.sh pinned use_va=0; }
part_dma_map() { tools/testing/uml/programs.sh pinned-dma-map use_va=0 batch_mapping=0; }

# these two in the virtual machine
part_tools() {
	tools/testing/sanitized/build.sh gcov && tools/testing/selftests.sh run_more_tools
}

part_hw() { tools/testing/sanitized/build.sh gcov && tools/testing/hw/run.sh; }

report() { "$here/report.py" "$@" build/vm/*/gcov; }

if [ "${1:-}" = report ]; then
	report "${@:2}"
	exit
fi
if [ $# -eq 0 ]; then
	rm -rf build/vm/*/gcov
	set -- kunit faults va pinned dma_map tools hw
fi
export COVERAGE=1
for part in "$@"; do "part_$part"; done
report --missing
