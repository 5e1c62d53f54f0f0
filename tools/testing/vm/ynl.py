#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's command line for YNL, in half of the time: the specification is read by libyaml,
# and is not compared with the schema, which the whole family's test does.
#
#   ynl.py COMMAND JSON
import runpy
import sys

import yaml

TREE = "build/ynl"
CLI = f"{TREE}/tools/net/ynl/cli.py"

yaml.SafeLoader = yaml.CSafeLoader
sys.path.insert(0, f"{TREE}/tools/net/ynl")
sys.argv = [CLI, "--spec", f"{TREE}/Documentation/netlink/specs/vdpa.yaml", "--no-schema",
            "--do", sys.argv[1], "--json", sys.argv[2]]
runpy.run_path(CLI, run_name="__main__")
