#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For scripts that run machines. Sourced.

# ended NAME STATUS: one test, by what vm/run.sh returned
ended() {
	if [ "$2" -eq 0 ]; then
		echo "ok $1: machine ended well, kernel log clean"
	else
		echo "not ok $1: machine ended with status $2"
	fi
}
