#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# On a kernel with fault injection: let allocations of every kind, and copies from and to
# processes, fail for who asks for it (Documentation/fault-injection, "fail-nth"), in silence.
for kind in failslab fail_page_alloc; do
	echo N >/sys/kernel/debug/$kind/ignore-gfp-wait
done
for kind in failslab fail_page_alloc fail_usercopy; do
	echo 0 >/sys/kernel/debug/$kind/verbose
done
echo N >/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem
echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
