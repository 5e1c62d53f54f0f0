#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compare our UAPI headers with the distribution's, as a C compiler sees them.

    check.py OURS REFERENCE...

OURS and each REFERENCE are directories like include/uapi. Every macro, enumerator,
structure size and field offset of a reference header must be the same in ours; ours
may have more, from 128 up. One line "ok" or "not ok" per header and reference.
"""
import os
import re
import subprocess
import sys
import tempfile

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+\S", re.M)
ENUM = re.compile(r"\benum\b[^{;]*\{([^}]*)\}", re.S)
STRUCT = re.compile(r"\bstruct\s+(\w+)\s*\{(.*?)^\}", re.S | re.M)
FIELD = re.compile(r"(\w+)\s*(?:\[[^\]]*\])?\s*;")

PROBE = """#include <stdio.h>
#include <stddef.h>
#include "%s"
#define SHOW(name) printf(_Generic((name), char *: #name " = \\"%%s\\"\\n", \\
	default: #name " = %%llu\\n"), _Generic((name), char *: (name), \\
	default: (unsigned long long)(name)))
int main(void)
{
%s	return 0;
}
"""


def names(path):
    """C expressions that say all that a header defines."""
    with open(path, encoding="utf-8") as file:
        text = COMMENT.sub(" ", file.read())
    found = MACRO.findall(text)
    for body in ENUM.findall(text):
        found += re.findall(r"(?:^|,)\s*(\w+)", body)
    lines = [f"\tSHOW({name});\n" for name in dict.fromkeys(found)]
    for struct, body in STRUCT.findall(text):
        lines.append(f"\tSHOW(sizeof(struct {struct}));\n")
        lines += [f"\tSHOW(offsetof(struct {struct}, {field}));\n"
                  for field in FIELD.findall(body)]
    return lines


def values(path, lines):
    """What the compiler makes of them."""
    with tempfile.TemporaryDirectory() as where:
        source = os.path.join(where, "probe.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(PROBE % (os.path.abspath(path), "".join(lines)))
        program = os.path.join(where, "probe")
        subprocess.run(["gcc", "-w", "-o", program, source], check=True)
        out = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    return dict(line.split(" = ", 1) for line in out.splitlines())


def compare(ours, reference):
    """Print what differs. Return whether all of the reference is in ours."""
    lines = names(reference)
    if not lines:
        print(f"# {reference} defines nothing: the comparison would be empty")
        return False
    try:
        theirs, mine = values(reference, lines), values(ours, names(ours))
    except subprocess.CalledProcessError:
        return False
    same = True
    for name, value in theirs.items():
        # the end of an enumeration moves when the kernel adds to it
        if name.endswith("_MAX") and int(mine.get(name, 0)) >= int(value):
            continue
        if mine.get(name) != value:
            print(f"# {name}: {value} in {reference}, {mine.get(name)} in {ours}")
            same = False
    print(f"# {len(theirs)} names, values, sizes and offsets compared")
    return same


def main():
    ours, references = sys.argv[1], sys.argv[2:]
    failed = 0
    for header in sorted(os.listdir(os.path.join(ours, "linux"))):
        for reference in references:
            path = os.path.join(reference, "linux", header)
            if not os.path.exists(path):
                continue
            same = compare(os.path.join(ours, "linux", header), path)
            print("ok" if same else "not ok", f"uapi: linux/{header} against {reference}")
            failed += not same
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
