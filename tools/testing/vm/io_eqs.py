#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Set how many event queues a devlink port's function may have, which neither iproute2 6.1
# nor 6.12's YNL specification of devlink knows:
#
#	io_eqs.py BUS/DEVICE/INDEX NUMBER
import os
import sys
import tempfile
import yaml

tree = "build/ynl"
sys.path.append(f"{tree}/tools/net/ynl")
from lib import NlError, YnlFamily

bus, device, index = sys.argv[1].split("/")
with open(f"{tree}/Documentation/netlink/specs/devlink.yaml") as file:
    spec = yaml.safe_load(file)
for attrs in spec["attribute-sets"]:
    if attrs["name"] == "dl-port-function":
        # DEVLINK_PORT_FN_ATTR_MAX_IO_EQS
        attrs["attributes"].append({"name": "max-io-eqs", "type": "u32", "value": 6})

with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
    file.write("# SPDX-License-Identifier: GPL-2.0-only\n")
    yaml.safe_dump(spec, file)
    file.flush()
    family = YnlFamily(file.name, "")
try:
    family.do("port-set", {"bus-name": bus, "dev-name": device, "port-index": int(index),
                           "port-function": {"max-io-eqs": int(sys.argv[2])}})
except NlError as error:
    sys.exit(f"Error: {error}")
