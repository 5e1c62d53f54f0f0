#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# What the fuzzer knows of the netlink family: its commands and attributes, from its
# specification.
#
#   fuzz_spec.py SPECIFICATION >fuzz_spec.h
import sys

import yaml

SIZES = {"u8": 1, "u16": 2, "u32": 4, "s32": 4, "u64": 8}

with open(sys.argv[1], encoding="utf-8") as file:
    spec = yaml.safe_load(file)

print("/* SPDX-License-Identifier: GPL-2.0-only */")
print("static const struct fuzz_attr fuzz_attrs[] = {")
value = 0
for attribute in spec["attribute-sets"][0]["attributes"]:
    value = attribute.get("value", value)
    if attribute["type"] != "pad":
        print(f"\t{{ {value}, {SIZES.get(attribute['type'], 0)}, "
              f"{int(attribute['type'] == 'string')} }}, /* {attribute['name']} */")
    value += 1
print("};\n\nstatic const uint8_t fuzz_commands[] = {")
for operation in spec["operations"]["list"]:
    for kind in ("do", "dump"):
        request = operation.get(kind, {}).get("request", {})
        if "value" in request:
            print(f"\t{request['value']}, /* {operation['name']} */")
print("};")
