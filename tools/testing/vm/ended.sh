#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For scripts that run machines. Sourced.

# what a kernel's log should not hold (WARN, BUG, Oops, hung task, lockdep, sanitizers), for grep -E
bad='WARNING:|BUG:|Oops|general protection fault|Kernel panic|blocked for more than'
bad+='|possible recursive locking|inconsistent lock state|circular locking|suspicious RCU'
bad+='|rcu.*stall|soft lockup|KASAN:|UBSAN:|KCSAN:|refcount_t:|corruption|kmemleak: [0-9]+ new|DEBUG_LOCKS'
bad+='|sysfs: cannot create duplicate|DMA-API:|Unable to handle|scheduling while atomic'

# ended NAME STATUS: one test, by what vm/run.sh returned
ended() {
	if [ "$2" -eq 0 ]; then
		echo "ok $1: machine ended well, kernel log clean"
	else
		echo "not ok $1: machine ended with status $2"
	fi
}
