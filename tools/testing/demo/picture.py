#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# A terminal's text as a picture, for documents: what "make demo" prints, for one.
#
#   picture.py FROM TO <text >picture.svg
#
# Lines from the first that begins with FROM to the last that begins with TO.
import re
import sys
from xml.sax.saxutils import escape

WIDTH, LINE = 112, 17

lines = [re.sub(r"\x1b\[[0-9;]*m", "", line.rstrip()) for line in sys.stdin]
first = next(i for i, line in enumerate(lines) if line.startswith(sys.argv[1]))
last = max(i for i, line in enumerate(lines) if line.startswith(sys.argv[2]))
lines = lines[first:last + 1]


def style(line):
    if line.startswith("== "):
        return "fill='#ffffff' font-weight='bold'"
    if line.startswith("$ "):
        return "fill='#8fd3ff'"
    if line.startswith("ok "):
        return "fill='#9fe29f'"
    return "fill='#d0d0d0'"


print("<!-- SPDX-License-Identifier: GPL-2.0-only -->")
print(f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH * 8 + 24}' "
      f"height='{len(lines) * LINE + 24}' font-family='monospace' font-size='13'>")
print("<rect width='100%' height='100%' rx='6' fill='#1e1e1e'/>")
for number, line in enumerate(lines):
    if line:
        print(f"<text x='12' y='{(number + 1) * LINE + 8}' xml:space='preserve' {style(line)}>"
              f"{escape(line[:WIDTH])}</text>")
print("</svg>")
