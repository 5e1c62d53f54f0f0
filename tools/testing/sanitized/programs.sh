#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In a machine whose kernel looks for leaks: every kselftest program; then nothing that was
# allocated since is out of reach.
#
#   programs.sh MODEL [parameter of vdpa_sim...]
#
# $harness is what programs are told.

# what the machine had before is not ours
echo clear >/sys/kernel/debug/kmemleak
# that one looks at how slab grows, which the sanitizer's quarantine makes; kmemleak sees more
leave_out=cycles_test
source tools/testing/vm/kselftests.sh "$@"

suite=$model
# an object that is younger than five seconds is not suspected yet
no_leaks() {
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	sleep 1
	echo scan >/sys/kernel/debug/kmemleak
	head -n 60 /sys/kernel/debug/kmemleak
	[ -z "$(head -c 1 /sys/kernel/debug/kmemleak)" ]
}
test_case "nothing leaks" no_leaks
