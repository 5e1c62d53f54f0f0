#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Ratios of our figures to stock's, with their spread, and whether they suffice.

    report.py FIGURES

FIGURES has lines "SIDE MODEL FIGURE VALUE UNIT". One line "ok" or "not ok" for each
ratio that is wanted, other figures for information.
"""
import collections
import statistics
import sys

# at least this many times stock's figure; below 1: at most
WANTED = {
    ("set_map", "4k.map"): 3, ("set_map", "4k.unmap"): 1.5,
    ("set_map", "thp.map"): 1.5, ("set_map", "thp.unmap"): 15,
    ("set_map", "hugetlb.map"): 1.5, ("set_map", "hugetlb.unmap"): 15,
    ("set_map", "scattered.map"): 2, ("set_map", "scattered.unmap"): 2,
    ("set_map", "single1000.map"): 50, ("set_map", "single1000.unmap"): 50,
    ("dma_map", "single.map"): 1.5, ("dma_map_va", "single.map"): 1.5,
    ("dma_map", "many.map"): 2.5, ("dma_map_va", "many.map"): 2.5,
    ("set_map", "memory.available"): 0.4, ("set_map", "memory.slab"): 0.4,
}
# of the administrator's work; pairs one after the other with virtio_vdpa are as fast as its
# waits for RCU, whoever waits
WANTED.update({("admin", figure): ratio for figure, ratio in {
    "dump.1000": 0.999, "pairs.none": 1.3, "pairs.vhost": 1.2,
    "pairs.parallel": 2, "get.longest": 0.5,
}.items()})
# of simulated devices, by virtual addresses and by pinned pages
DATA = {
    "net.64": 5, "net.1500": 5, "net.one": 1.2, "net.64.interrupts": 0.1,
    "net.1500.interrupts": 0.1,
    "blk.read": 3.5, "blk.write": 3.5, "blk.one": 1.2, "blk.read128k": 1.3,
    "blk.write128k": 1.3,
    "virtio.net.64": 1.3, "virtio.net.1500": 1.3, "virtio.blk.1": 1.05,
    "virtio.blk.32": 1.15,
}
WANTED.update({(model, figure): ratio for figure, ratio in DATA.items()
               for model in ("va", "pa")})
# where stock has no figure of its own
AGAINST = {"many.map": "single.map", "many.unmap": "single.unmap"}
# at most so much, whatever stock does
LIMIT = {("set_map", "delete.open"): 10}
LIMIT.update({(model, "idle.net"): 44.5 for model in ("va", "pa")})
LIMIT.update({(model, "idle.blk"): 128 for model in ("va", "pa")})

# at least so much, whatever stock does
LEAST = {(model, figure): 1.9 for model in ("va", "pa") for figure in ("scale.two", "scale.four")}


def show(values):
    """Median and spread in percent."""
    middle = statistics.median(values)
    spread = (max(values) - min(values)) / middle * 100 if middle else 0
    return f"{middle:13.2f} ±{spread:4.1f} %"


def main():
    figures = collections.defaultdict(list)
    units = {}
    with open(sys.argv[1], encoding="ascii") as file:
        for line in file:
            words = line.split()
            if len(words) == 5 and words[0] in ("stock", "ours"):
                side, model, figure, value, unit = words
                figures[side, model, figure].append(float(value))
                units[figure] = unit

    failed = 0
    print(f"{'':6} {'model':11} {'figure':17} {'stock':>21} {'ours':>21} {'ratio':>8} {'wanted':>7}")
    for (side, model, figure), ours in figures.items():
        if side != "ours":
            continue
        stock = figures.get(("stock", model, AGAINST.get(figure, figure)))
        wanted, limit = WANTED.get((model, figure)), LIMIT.get((model, figure))
        least = LEAST.get((model, figure))
        ratio = statistics.median(ours) / statistics.median(stock) if stock else None
        good = None
        if limit:
            good = statistics.median(ours) <= limit
        elif least:
            good = statistics.median(ours) >= least
        elif wanted:
            good = ratio is not None and (ratio >= wanted if wanted > 1 else ratio <= wanted)
        failed += good is False
        print(f"{'' if good is None else 'ok' if good else 'not ok':6} {model:11} {figure:17}"
              f" {show(stock) if stock else '-':>21} {show(ours):>21}"
              f" {'-' if ratio is None else f'{ratio:8.2f}':>8}"
              f" {limit or least or wanted or '':>7} {units[figure]}")
    return 1 if failed or not figures else 0


if __name__ == "__main__":
    sys.exit(main())
