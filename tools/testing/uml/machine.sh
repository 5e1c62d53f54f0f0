#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boot the User Mode Linux kernel, run a command in it on the host's root, which is read-only, and
# halt. The log, the command's output in it, is printed.
#
#   machine.sh SECONDS COMMAND PARAMETER...	parameters are the kernel's; three times what it takes
#						at most is waited. OUT=DIRECTORY is where the command
#						finds /run/vm/out
#
# Warnings are on the console, for that is what is searched, and the KUnit suites are not run, unless
# parameters say so.
#
# With $COVERAGE the kernel counts which lines are reached, and the counts are left in a directory
# of build/vm/.
#
# The exit status is the command's, unless the kernel's log holds a line that it should not: then
# 99, and 98 when there was no end in time.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
source "$here/../vm/ended.sh"
limit=$1 command=$2
shift 2

kernel=$("$here/build.sh") || exit 1
if [ -n "${COVERAGE:-}" ]; then
	mkdir -p "$top/build/vm"
	set -- "$@" COUNTS="$(mktemp -d "$top/build/vm/uml-XXXXXX")"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
TMPDIR=$kernel timeout -k 5 $((3 * limit)) "$kernel/linux" mem=768M con=null con0=fd:1 console=tty \
	root=/dev/root rootfstype=hostfs rootflags=/ ro init="$here/init" printk.time=0 loglevel=5 kunit.enable=0 \
	COMMAND="\"$command\"" "$@" </dev/null | tr -d '\r' | tee "$log"

status=$(sed -n 's/^init: status //p' "$log")
! grep -qaE "$bad" "$log" || status=99
exit "${status:-98}"
