#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Lines and branches of our files that the tests reach, by the compiler's gcov. Counts of several
# machines and kernels are added up.
#
#   report.py [--missing] DIR...	each with counts as collect.sh writes them, under the names of
#				the objects. --missing: also the lines that are not reached
import collections
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile

# what each part of the subsystem is to reach, in per cent of its lines
WANTED = 90
PARTS = {
    "core": "drivers/vdpa/",
    "ring": "drivers/vdpa/ring/",
    "vhost": "drivers/vhost/vdpa/",
    "virtio_vdpa": "drivers/virtio/virtio_vdpa.c",
    "simulators": "drivers/vdpa/vdpa_sim/",
    "virtio_pci": "drivers/vdpa/virtio_pci/",
    "slice": "drivers/vdpa/slice/",
}
AIMED_AT = ("core", "ring", "vhost", "virtio_vdpa")
TREE = "/build/tree/"


def part_of(path):
    """the longest that it begins with, if any"""
    parts = [name for name, prefix in PARTS.items() if path.startswith(prefix)]
    return max(parts, key=lambda name: len(PARTS[name]), default=None)


def gcov(object_counts):
    """what gcov makes of an object's counts: (file, line, count, branches)"""
    counts = pathlib.Path(object_counts)
    notes = pathlib.Path("/", *counts.parts[counts.parts.index("gcov") + 1:]).with_suffix(".gcno")
    with tempfile.TemporaryDirectory() as scratch:
        here = pathlib.Path(scratch)
        (here / "one.gcno").symlink_to(notes)
        (here / "one.gcda").symlink_to(counts.resolve())
        subprocess.run(["gcov", "--json-format", "--branch-probabilities", "one.gcda"],
                       cwd=here, check=True, stdout=subprocess.DEVNULL)
        with gzip.open(next(here.glob("*.json.gz"))) as file:
            found = json.load(file)
    for source in found["files"]:
        path = os.path.normpath(os.path.join(found["current_working_directory"], source["file"]))
        if TREE in path:
            for line in source["lines"]:
                yield (path.split(TREE)[1], line["line_number"], line["count"],
                       [branch["count"] for branch in line["branches"]])


class Coverage:
    def __init__(self):
        self.lines = collections.defaultdict(lambda: collections.defaultdict(int))
        self.branches = collections.defaultdict(dict)

    def add(self, path, line, count, branches):
        self.lines[path][line] += count
        # one compiler's options may give a line other branches than another's: the most are kept
        known = self.branches[path].get(line, [])
        if len(known) == len(branches):
            branches = [a + b for a, b in zip(known, branches)]
        elif len(known) > len(branches):
            branches = known
        self.branches[path][line] = branches

    def of_lines(self, paths):
        return [count for path in paths for count in self.lines[path].values()]

    def of_branches(self, paths):
        return [count for path in paths for line in self.branches[path].values()
                for count in line]

    def missing(self, path):
        """ranges of lines; such as have no code do not end one"""
        ranges, start, last = [], None, None
        for line, count in sorted(self.lines[path].items()):
            if count and start is not None:
                ranges.append((start, last))
                start = None
            elif not count:
                start = start or line
                last = line
        return ranges + ([(start, last)] if start is not None else [])


def per_cent(counts):
    return 100 * sum(map(bool, counts)) / len(counts) if counts else 0


def row(name, lines, branches):
    print(f"{name:44} {len(lines):6} {per_cent(lines):6.1f} {len(branches):6} "
          f"{per_cent(branches):6.1f}")


def main():
    args = sys.argv[1:]
    missing = "--missing" in args
    directories = [arg for arg in args if arg != "--missing"]
    coverage = Coverage()
    for directory in directories:
        for counts in pathlib.Path(directory).rglob("*.gcda"):
            for entry in gcov(counts):
                if part_of(entry[0]):
                    coverage.add(*entry)

    reached = {}
    print(f"{'file':44} {'lines':>6} {'%':>6} {'branch':>6} {'%':>6}")
    for part in PARTS:
        paths = sorted(path for path in coverage.lines if part_of(path) == part)
        for path in paths:
            row(path, coverage.of_lines([path]), coverage.of_branches([path]))
            if missing:
                for first, last in coverage.missing(path):
                    print(f"\t{path}:{first}" + (f"-{last}" if last != first else ""))
        row(f"== {part}", coverage.of_lines(paths), coverage.of_branches(paths))
        reached[part] = per_cent(coverage.of_lines(paths))

    for part in AIMED_AT:
        verdict = "ok" if reached[part] >= WANTED else "not ok"
        print(f"{verdict} coverage: {part}: {reached[part]:.1f} % of its lines")


main()
