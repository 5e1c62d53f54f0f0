#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The sweep in a virtual machine, whose kernel has fault injection.
#
#   machine.sh [parameter of vdpa_sim...]
set -uo pipefail

source tools/testing/vm/lib.sh

tools/testing/faults/arm.sh
load_modules "$@" || exit 1
build/selftests/fail-nth
status=$?
unload_modules && exit $status
