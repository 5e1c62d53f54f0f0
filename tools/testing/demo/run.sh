#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boot the distribution's kernel in a virtual machine and show vDPA at work.
#
#   run.sh [-s] [-n]
#
#   -s	leave a shell in the machine afterwards, modules loaded
#   -n	no demonstration, only load the modules
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
shell=() script=demo.sh
while getopts sn option; do
	case $option in
	s) shell=(-s) ;;
	n) script=load.sh ;;
	*) exit 2 ;;
	esac
done

echo "Booting the distribution's kernel, without KVM; this takes a few seconds."
cd "$top"
exec tools/testing/vm/run.sh -t 240 "${shell[@]}" "$here/$script" ${shell:+keep}
