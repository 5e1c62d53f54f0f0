#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Does a driver implement every operation that include/linux/vdpa.h requires?

    ops.py HEADER MODULE NAME

Looks at the compiled module: an object of the size of struct vdpa_config_ops has a
relocation for each operation that is set. A driver whose table the compiler builds
in code instead is asked for a function named after each operation. One line "ok" or
"not ok" per table.
"""
import re
import subprocess
import sys

MEMBER = re.compile(r"/\*\*(?P<doc>(?:(?!\*/).)*)\*/|\(\*(?P<name>\w+)\)\s*\(", re.S)


def operations(header):
    """(name, required) of each member, in order."""
    with open(header, encoding="utf-8") as file:
        text = file.read()
    start = text.index("struct vdpa_config_ops {")
    body = text[start:text.index("\n};", start)]
    found, doc = [], ""
    for match in MEMBER.finditer(body):
        if match["name"]:
            found.append((match["name"], "(optional" not in doc))
            doc = ""
        else:
            doc = match["doc"]
    return found


def readelf(option, module):
    return subprocess.run(["readelf", "-W", option, module], capture_output=True,
                          text=True, check=True).stdout.splitlines()


def tables(module, size):
    """(name, set of offsets with a relocation) of each object of that size."""
    sections = {}
    for line in readelf("-S", module):
        match = re.match(r"\s*\[\s*(\d+)\]\s+(\S+)", line)
        if match:
            sections[match[1]] = match[2]
    relocations = {}
    section = ""
    for line in readelf("-r", module):
        match = re.match(r"Relocation section '\.rela?(\S+)'", line)
        if match:
            section = match[1]
        match = re.match(r"([0-9a-f]+)\s+[0-9a-f]+\s+R_", line)
        if match:
            relocations.setdefault(section, set()).add(int(match[1], 16))
    for line in readelf("-s", module):
        fields = line.split()
        if len(fields) < 8 or fields[3] != "OBJECT" or not fields[2].isdigit():
            continue
        if int(fields[2]) != size or fields[6] not in sections:
            continue
        base = int(fields[1], 16)
        hits = {at - base for at in relocations.get(sections[fields[6]], ())
                if base <= at < base + size}
        if hits:
            yield fields[7], hits


def functions(module):
    """Names of the functions in it."""
    fields = (line.split() for line in readelf("-s", module))
    return {each[7] for each in fields if len(each) > 7 and each[3] == "FUNC"}


def verdict(driver, table, missing):
    end = f"lacks {', '.join(missing)}" if missing else "has every required op"
    print("not ok" if missing else "ok", f"vendor: {driver}: {table} {end}")


def main():
    header, module, driver = sys.argv[1:]
    members = operations(header)
    required = [(8 * i, op) for i, (op, needed) in enumerate(members) if needed]
    found = list(tables(module, 8 * len(members)))
    for name, hits in found:
        verdict(driver, name, [op for at, op in required if at not in hits])
    if not found:
        names = functions(module)
        verdict(driver, "a table filled in code",
                [op for _, op in required
                 if not any(name.endswith(f"_{op}") for name in names)])


if __name__ == "__main__":
    main()
