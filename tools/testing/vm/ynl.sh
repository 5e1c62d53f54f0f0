#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: the family's specification, whole, by the kernel's own YNL library; and its
# command line.
set -uo pipefail

source tools/testing/vm/lib.sh

suite=ynl
export PATH=$PWD/build/selftests:$PATH
load_modules && modprobe vdpa_slice_sim &&
	devlink port add platform/vdpa_slice_sim.0 flavour pcisf pfnum 0 sfnum 1 &&
	devlink port function set platform/vdpa_slice_sim.0/1 state active || exit 1
ulimit -l unlimited
python3 tools/testing/vm/ynl_all.py build/ynl || echo "not ok ynl: it came to its end"

by_command() {
	ynl dev-new '{"mgmtdev-dev-name": "vdpasim_blk", "dev-name": "y"}' &&
		ynl dev-get '{"dev-name": "y"}' | grep "'dev-id': 2" && ynl dev-del '{"dev-name": "y"}' &&
		refused "no device of that name" ynl dev-get '{"dev-name": "y"}'
}
test_case "the command line" by_command
