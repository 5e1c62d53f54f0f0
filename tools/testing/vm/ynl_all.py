#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: every operation and every attribute of the family's specification, by the
# kernel's own YNL library. What was sent and what came is written down; in the end there is
# nothing in the specification that was neither.
#
#   ynl_all.py YNL			the directory of the kernel's tree with tools/net/ynl
import ctypes
import os
import sys
import time

sys.path.append(f"{sys.argv[1]}/tools/net/ynl")
from lib import NlError, YnlFamily  # noqa: E402

SPEC = f"{sys.argv[1]}/Documentation/netlink/specs/vdpa.yaml"
MAC = "52:54:00:00:00:31"
VERSION_1 = 1 << 32
BLK = {
    "dev-blk-cfg-capacity": 65536, "dev-blk-cfg-size-max": 65536, "dev-blk-cfg-blk-size": 1024,
    "dev-blk-cfg-seg-max": 16, "dev-blk-cfg-num-queues": 2, "dev-blk-cfg-phy-blk-exp": 2,
    "dev-blk-cfg-align-offset": 0, "dev-blk-cfg-min-io-size": 4, "dev-blk-cfg-opt-io-size": 64,
}

used = set()        # attributes that were sent or came
called = set()      # operations, and notifications that came
family = YnlFamily(SPEC)
listener = YnlFamily(SPEC)


def note(reply):
    for each in reply if isinstance(reply, list) else [reply] if reply else []:
        used.update(each)
    return reply


def do(operation, **attributes):
    request = {name.replace("_", "-"): value for name, value in attributes.items()}
    used.update(request)
    called.add(operation)
    return note(family.do(operation, request))


def dump(operation, **attributes):
    request = {name.replace("_", "-"): value for name, value in attributes.items()}
    used.update(request)
    called.add(operation)
    return note(family.dump(operation, request))


def test(name, holds):
    print(f"{'ok' if holds else 'not ok'} ynl: {name}")


def refused(error, operation, **attributes):
    try:
        do(operation, **attributes)
    except NlError as refusal:
        return abs(refusal.error) == error
    return False


def same(reply, wanted):
    return all(reply.get(name) == value for name, value in wanted.items())


def until(holds):
    """whether it holds within 20 s: a machine may be slow, and what is waited for comes on its own"""
    for _ in range(200):
        if holds():
            return True
        time.sleep(0.1)
    return False


def told(wanted):
    """whether each (notification, device) of a set is heard"""
    heard = set()

    def listen():
        listener.check_ntf()
        while listener.async_msg_queue:
            event = listener.async_msg_queue.pop(0)
            called.add(event["name"])
            note(event["msg"])
            heard.add((event["name"], event["msg"].get("dev-name")))
        return wanted <= heard

    return until(listen)


def management_devices():
    every = {each["mgmtdev-dev-name"]: each for each in dump("mgmtdev-get")}
    do("mgmtdev-set", mgmtdev_dev_name="vdpasim_net", dev_driver="none")
    one = do("mgmtdev-get", mgmtdev_dev_name="vdpasim_net")
    do("mgmtdev-set", mgmtdev_dev_name="vdpasim_net", dev_driver="any")
    test("management devices", every["vdpasim_blk"]["mgmtdev-supported-classes"] == 4 and
         every["vdpasim_net"]["dev-mgmtdev-max-vqs"] == 129 and one["dev-driver"] == "none" and
         one["dev-supported-features"] & VERSION_1)
    slices = [each for each in dump("mgmtdev-get") if "mgmtdev-bus-name" in each]
    test("a bus has a name", slices and slices[0]["mgmtdev-bus-name"] == "auxiliary")


def network_device():
    mac = bytes.fromhex(MAC.replace(":", ""))
    offered = do("mgmtdev-get", mgmtdev_dev_name="vdpasim_net")["dev-supported-features"]
    do("dev-new", mgmtdev_dev_name="vdpasim_net", dev_name="n", dev_net_cfg_macaddr=mac.hex(),
       dev_net_cfg_max_vqp=2, dev_net_cfg_mtu=1400, dev_features=offered, dev_net_link=0,
       dev_driver="virtio")
    until(lambda: do("dev-get", dev_name="n").get("dev-status") == 15)
    config = do("dev-config-get", dev_name="n")
    test("a network device is what was asked for",
         same(config, {"dev-net-cfg-max-vqp": 2, "dev-net-cfg-mtu": 1400, "dev-net-status": 0,
                       "dev-features": offered, "dev-id": 1}) and
         plain(config["dev-net-cfg-macaddr"]) == mac.hex())
    do("dev-attr-set", dev_name="n", dev_net_link=1)
    test("its link comes up", do("dev-config-get", dev_name="n")["dev-net-status"] & 1)
    stats = do("dev-vstats-get", dev_name="n", dev_queue_index=0)
    test("statistics have names and values",
         len(stats["dev-vendor-attr-name"]) == len(stats["dev-vendor-attr-value"]) > 4)
    device = do("dev-get", dev_name="n")
    test("a device has a driver and a status",
         same(device, {"dev-driver": "virtio", "dev-bound-driver": "virtio_vdpa",
                       "dev-status": 15, "dev-max-vqs": 5, "dev-max-vq-size": 256,
                       "dev-min-vq-size": 1}) and "dev-vendor-id" in device)
    do("dev-new", mgmtdev_dev_name="vdpasim_net", dev_name="peer", dev_net_peer="n")
    test("a peer is refused once there is one", refused(
        16, "dev-new", mgmtdev_dev_name="vdpasim_net", dev_name="third", dev_net_peer="n"))


def plain(mac):
    return (mac if isinstance(mac, str) else mac.hex()).replace(":", "").replace(" ", "")


def block_device():
    offered = do("mgmtdev-get", mgmtdev_dev_name="vdpasim_blk")["dev-supported-features"]
    do("dev-new", mgmtdev_dev_name="vdpasim_blk", dev_name="b", dev_features=offered,
       dev_blk_read_only=1, **{name.replace("-", "_"): value for name, value in BLK.items()})
    config = do("dev-config-get", dev_name="b")
    test("a block device is what was asked for", same(config, BLK) and same(config, {
        "dev-blk-read-only": 1, "dev-blk-flush": 1}))
    test("discard and zeroing have limits", all(
        config[f"dev-blk-cfg-{name}"] for name in (
            "max-discard-sec", "max-discard-seg", "discard-sec-align", "max-write-zeroes-sec",
            "max-write-zeroes-seg")))
    with open("/run/backing", "wb") as file:
        file.truncate(1 << 20)
    do("dev-new", mgmtdev_dev_name="vdpasim_blk", dev_name="f", dev_blk_backing="/run/backing",
       dev_blk_read_only=1)
    test("a file is behind a block device",
         do("dev-config-get", dev_name="f")["dev-blk-cfg-capacity"] == 2048)


def process():
    do("dev-new", mgmtdev_dev_name="vdpasim_net", dev_name="p", dev_driver="vhost")
    pid = os.spawnlp(os.P_NOWAIT, "vhost-traffic", "vhost-traffic", "net", "p", "1000")
    busy = until(lambda: any(each.get("dev-queue-kicks") for each in
                             dump("queue-get", dev_name="p")[1:]))
    device = do("dev-get", dev_name="p")
    test("a device tells who uses it", same(device, {"dev-owner-pid": pid}) and
         device["dev-maps"] > 0 and "dev-pinned-pages" in device)
    queues = dump("queue-get", dev_name="p")
    test("queues tell what they do", busy and len(queues) == 3 and
         same(queues[0], {"dev-queue-index": 0, "dev-queue-ready": 1, "dev-queue-asid": 0}) and
         {"dev-queue-size", "dev-queue-avail-index", "dev-queue-used-index", "dev-max-vq-size",
          "dev-queue-interrupts", "dev-queue-group"} <= set(queues[0]))
    test("negotiated features", do("dev-config-get", dev_name="p")["dev-negotiated-features"])
    do("dev-del", dev_name="p")
    os.waitpid(pid, 0)


def enter_network(file):
    """go into the network namespace of a file, or a new one; Python's own comes with 3.12"""
    libc = ctypes.CDLL(None)
    clone_newnet = 0x40000000
    assert (libc.unshare(clone_newnet) if file is None else libc.setns(file, clone_newnet)) == 0


def namespace():
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    enter_network(None)
    other = os.open("/proc/self/ns/net", os.O_RDONLY)
    enter_network(own)
    do("dev-new", mgmtdev_dev_name="vdpasim_net", dev_name="s", dev_driver="none",
       dev_netns_fd=other)
    test("a namespace has a number", do("dev-get", dev_name="s")["dev-netns-id"] >= 0)
    os.close(other)
    os.close(own)


def main():
    listener.ntf_subscribe("devices")
    management_devices()
    network_device()
    test("creation, binding, status and link are told of", told({
        ("dev-created-ntf", "n"), ("dev-bound-ntf", "n"), ("dev-status-ntf", "n"),
        ("dev-link-ntf", "n")}))
    block_device()
    process()
    namespace()
    do("dev-del", dev_name="n")
    do("dev-del", mgmtdev_dev_name="vdpasim_blk")
    do("dev-del", mgmtdev_dev_name="vdpasim_net")
    test("unbinding and deletion are told of", told({
        ("dev-unbound-ntf", "n"), ("dev-deleted-ntf", "n"), ("dev-deleted-ntf", "b")}))
    test("nothing is left", not dump("dev-get") and not dump("dev-config-get"))

    attributes = {name for name in family.attr_sets["vdpa"] if name != "pad"}
    print(f"# {len(used)} attributes, {len(called)} operations and notifications")
    print("# neither sent nor received:", *sorted(attributes - used))
    test("every attribute was sent or received", attributes == used)
    print("# neither called nor heard:", *sorted(set(family.msgs) - called))
    test("every operation was called, every notification heard", set(family.msgs) == called)


main()
