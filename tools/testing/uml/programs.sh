#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every kselftest program in the kernel that KUnit's suites run in, where KASAN, UBSAN, lockdep and
# kmemleak look on; much faster than in a virtual machine that is emulated, but with one processor.
#
#   programs.sh MODEL [parameter of vdpa_sim...]
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
cd "$top" || exit 1
source tools/testing/vm/ended.sh

model=$1
shift
# with lines counted nobody looks for leaks
script=tools/testing/sanitized/programs.sh
[ -z "${COVERAGE:-}" ] || script=tools/testing/vm/kselftests.sh
# this kernel has no huge pages, and runs no program of 32 bit
harness="-T scattered_memory -T huge_pages -T compat"
"$here/machine.sh" 300 "leave_out=cycles_test harness='$harness' $script uml-$model" \
	"${@/#/vdpa_sim.}"
ended "uml $model" $?
