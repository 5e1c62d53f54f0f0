#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: every kselftest program, with the modules loaded anew for each so
# that one cannot hide behind what another left.
#
#   kselftests.sh MODEL [parameter of vdpa_sim...]
#
# MODEL goes into the names of the tests. $leave_out is a program that is not run, $harness what
# all of them are told.
set -uo pipefail

source tools/testing/vm/lib.sh

model=$1
shift
bin=$PWD/build/selftests
export PATH=$bin:$PATH

for source in tools/testing/selftests/vdpa/*_test.c; do
	name=$(basename "$source" .c)
	[ "$name" != "${leave_out:-}" ] || continue
	if ! load_modules "$@"; then
		echo "not ok $model: modules load for $name"
		break
	fi
	# not in the shared directory: writing there pins pages, which tests count
	log=/run/$name.log start=$SECONDS
	# shellcheck disable=SC2086 # words
	timeout -k 5 600 "$bin/$name" ${harness:-} >"$log" 2>&1
	status=$?
	sed -E "s/^((not )?ok) [0-9]+ /\1 $model: $name /" "$log"
	echo "# $name took $((SECONDS - start)) s"
	if [ $status -ne 0 ] && ! grep -q '^not ok' "$log"; then
		echo "not ok $model: $name ended with status $status"
	fi
	left=$(ls /sys/bus/vdpa/devices)
	if [ -n "$left" ]; then
		echo "not ok $model: $name left devices behind: $left"
		for device in $left; do vdpa dev del "$device"; done
	fi
	if ! unload_modules; then
		echo "not ok $model: modules unload after $name"
		break
	fi
done
