#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# An example from a document, as commands.
#
#   example.py DOCUMENT NUMBER	the literal block ("::") of that number, from 0; nothing when
#				there are fewer
#   example.py DOCUMENT NAME	the code block of that ":name:"
#
# Where lines of a literal block have a prompt, those without one are what commands print, and
# are left out.
import sys
import textwrap


def indented(lines, start):
    """the block that begins at a line or behind it"""
    block = []
    for line in lines[start:]:
        if line.strip() and not line.startswith((" ", "\t")):
            break
        block.append(line)
    return textwrap.dedent("".join(block)).strip()


def literal_blocks(lines):
    blocks = []
    for i, line in enumerate(lines):
        if line.rstrip().endswith("::") and not line.startswith((".", " ", "\t")):
            block = indented(lines, i + 1).splitlines()
            if any(each.startswith("# ") for each in block):
                block = [each[2:] for each in block if each.startswith("# ")]
            blocks.append("\n".join(block))
    return blocks


def named_block(lines, name):
    for i, line in enumerate(lines):
        if line.strip() == f":name: {name}":
            return indented(lines, i + 1)
    sys.exit(f"no block is called {name}")


with open(sys.argv[1], encoding="utf-8") as document:
    text = document.readlines()
if sys.argv[2].isdigit():
    print("".join(literal_blocks(text)[int(sys.argv[2]):][:1]))
else:
    print(named_block(text, sys.argv[2]))
