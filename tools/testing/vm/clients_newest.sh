#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: as clients.sh, with the vdpa tool of the distribution's newest suite.

export PATH=$PWD/build/newer/bin:$PATH
vdpa -V
[[ $(vdpa -V) != "$(/usr/sbin/vdpa -V)" ]] || { echo "not ok clients: a newer tool"; exit 1; }
source tools/testing/vm/clients.sh "$@"
