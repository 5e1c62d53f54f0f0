#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# In the machine: only load the modules.
source tools/testing/vm/lib.sh
load_modules && show_modules
