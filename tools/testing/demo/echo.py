#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Send frames on a loop-back network device and compare what comes back.

    echo.py INTERFACE COUNT

Every frame carries its number and a pattern of its own length. Exit status 0 when
each came back once, unchanged.
"""
import socket
import struct
import sys
import time

ETHERTYPE = 0x88B5  # IEEE 802 local experimental
PACKET_OUTGOING = 4


def main():
    name, count = sys.argv[1], int(sys.argv[2])
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
    sock.bind((name, ETHERTYPE))
    sock.settimeout(0.1)
    own = sock.getsockname()[4]
    with open(f"/sys/class/net/{name}/mtu", encoding="ascii") as file:
        longest = int(file.read())
    broadcast = b"\xff" * 6

    sent = {}
    got = {}
    end = time.monotonic() + 30

    def collect():
        try:
            while True:
                frame, address = sock.recvfrom(4096)
                if address[2] != PACKET_OUTGOING:
                    got.setdefault(frame, 0)
                    got[frame] += 1
        except (TimeoutError, socket.timeout):
            pass

    for number in range(count):
        to = broadcast if number % 2 else own
        length = 46 + number * 7 % (longest - 45)
        frame = to + b"\x02vdpa0" + struct.pack("!HI", ETHERTYPE, number)
        frame += bytes((number + i) & 0xFF for i in range(length - 4))
        sent[frame] = 1
        sock.send(frame)
        if number % 32 == 31:
            collect()
    while len(got) < count and time.monotonic() < end:
        collect()

    right = got == sent
    print(f"{count} frames sent, {sum(got.values())} came back,",
          "all as they were sent" if right else "not as they were sent")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
