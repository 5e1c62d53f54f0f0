#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Do the tests notice? Mistakes are planted in a copy of the sources, one at a time: an unlock
# that is missing, a page that is not unpinned, a bound that is too wide. Each has to make the
# test fail, or the kernel complain, that is named with it. The same tests pass without.
#
#   mutants.py [NAME...]
import os
import re
import subprocess
import sys
from dataclasses import dataclass


@dataclass
class Mutant:
    name: str
    path: str       # of the file
    old: str        # a piece of it, found there once
    new: str
    test: str       # kselftest program that has to notice, or "kunit"


VHOST = "drivers/vhost/vdpa/"
CORE = "drivers/vdpa/"
SIM = "drivers/vdpa/vdpa_sim/"
RING = "drivers/vdpa/ring/"
VIRTIO = "drivers/virtio/virtio_vdpa.c"

MUTANTS = [
    Mutant("pages of a map stay pinned", VHOST + "pin.c",
           "\t\tunpin_user_folio(folio, nr);\n",
           "\t\tif (nr != 1)\n\t\t\tunpin_user_folio(folio, nr);\n", "vhost_iotlb_test"),
    Mutant("pages that did not fit stay charged", VHOST + "pin.c",
           "\tatomic64_sub(pages, &v->mm->pinned_vm);\n", "", "vhost_iotlb_test"),
    Mutant("locked memory has no limit", VHOST + "pin.c",
           "<= limit)", "<= ULONG_MAX)", "vhost_iotlb_test"),
    Mutant("maps lie where the device does not reach", VHOST + "iotlb.c",
           "msg->iova < v->range.first || last > v->range.last", "msg->iova < v->range.first",
           "kunit"),
    Mutant("anybody may send messages", VHOST + "iotlb.c",
           "\tif (v->mm != current->mm)\n\t\terr = -EPERM;\n", "", "vhost_iotlb_test"),
    Mutant("one map more than there may be", VHOST + "iotlb.c",
           "as->nr_maps >= max_iotlb_entries", "as->nr_maps > max_iotlb_entries",
           "vhost_iotlb_test"),
    Mutant("a second opener is let in", VHOST + "main.c",
           "err = v->opened ? -EBUSY : vhost_vdpa_session_start(v);",
           "err = vhost_vdpa_session_start(v);", "vhost_ioctl_test"),
    Mutant("who polls is not woken when the device goes", VHOST + "main.c",
           "\twake_up_poll(&v->wait, EPOLLHUP | EPOLLERR);\n", "", "vhost_revoke_test"),
    Mutant("an unlock is missing", VHOST + "main.c",
           "\tput_pid(v->owner);\n\tv->owner = NULL;\n\tmutex_unlock(&v->lock);\n",
           "\tput_pid(v->owner);\n\tv->owner = NULL;\n", "vhost_revoke_test"),
    Mutant("configuration is read beyond its end", VHOST + "ioctl.c",
           "range->len > v->config_size - range->off", "range->len > v->config_size",
           "vhost_ioctl_test"),
    Mutant("features change after FEATURES_OK", VHOST + "ioctl.c",
           "\tif (v->vdpa->config->get_status(v->vdpa) & VIRTIO_CONFIG_S_FEATURES_OK)\n"
           "\t\treturn -EBUSY;\n", "", "vhost_table_test"),
    Mutant("a kick that came too early is lost", VHOST + "vring.c",
           "\tvfs_poll(kick, &poll.table);\n\tvhost_vdpa_kick_catch_up(vq);\n",
           "\tvfs_poll(kick, &poll.table);\n", "vhost_ring_test"),
    Mutant("a ring is moved while it runs", VHOST + "vring.c",
           "\tif (vhost_vdpa_vq_running(v, addr->index))\n\t\treturn -EINVAL;\n", "",
           "vhost_table_test"),
    Mutant("a reference stays", CORE + "netlink.c",
           "\tput_device(&vdev->dev);\n\tvdpa_mgmt_exit(info->user_ptr[1]);\n",
           "\tvdpa_mgmt_exit(info->user_ptr[1]);\n", "cycles_test"),
    Mutant("foreign devices are seen", CORE + "namespace.c",
           "net_eq(net, &init_net) || net_eq(net, READ_ONCE(vdev->net))", "true", "netns_test"),
    Mutant("drivers of namespaces are the tenant's", CORE + "netlink_change.c",
           "\tif (netlink_capable(skb, CAP_NET_ADMIN))\n\t\treturn 0;\n", "\treturn 0;\n",
           "netns_test"),
    Mutant("statistics of a queue that is none", CORE + "netlink_device.c",
           "nla_get_u32(index) >= vdev->nvqs", "nla_get_u32(index) > vdev->nvqs",
           "netlink_test"),
    Mutant("a name may hold a slash", CORE + "device.c",
           "strcmp(name, \"..\") && !strchr(name, '/')", "strcmp(name, \"..\")",
           "netlink_test"),
    Mutant("a dump forgets where it was", CORE + "netlink_device.c",
           "dump->index = vdevs[i]->index + 1UL;", "dump->index = vdevs[i]->index + 2UL;",
           "netlink_test"),
    Mutant("a request reaches beyond the disk", SIM + "blk_request.c",
           "len >> BLK_SECTOR_SHIFT <= blk->sectors - sector",
           "len >> BLK_SECTOR_SHIFT <= blk->sectors - sector + 1", "sim_blk_test"),
    Mutant("frames for others are received", SIM + "net_data.c",
           "\treturn net_filter_wants(filter, eth, path->vlan);\n", "\treturn true;\n",
           "sim_net_test"),
    Mutant("nobody looks again after asking for kicks", RING + "split.c",
           "\tsmp_mb();\n\treturn read_avail_idx(ring) ?: avail != ring->avail_seen;\n",
           "\treturn 0;\n", "kunit"),
    Mutant("a map may overlap another", VHOST + "iotlb.c",
           "\tif (vhost_vdpa_as_busy(as, msg->iova, last))\n\t\treturn -EEXIST;\n", "",
           "kunit"),
    Mutant("a queue that was set up stays when a later one fails", VIRTIO,
           "err_vqs:\n\tvirtio_vdpa_del_vqs(vdev);\n", "err_vqs:\n", "kunit"),
    Mutant("a queue without a name takes an index", VIRTIO,
           "virtio_vdpa_setup_vq(vdev, queues, &vqs_info[i])",
           "virtio_vdpa_setup_vq(vdev, i, &vqs_info[i])", "kunit"),
]

here = os.path.dirname(os.path.realpath(__file__))
top = os.path.realpath(f"{here}/../../..")
tree = f"{top}/build/mutants"


def run(*command, **options):
    return subprocess.run(command, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", **options)


def must(*command):
    done = run(*command)
    if done.returncode:
        sys.exit(f"{' '.join(command)}:\n{done.stdout}")
    return done.stdout.strip()


def prepare(release):
    """a copy of the sources, and of what was built for the machine"""
    must(f"{top}/tools/testing/vm/kernel.sh", release, f"{top}/build/modules/{release}",
         f"{top}/build/kernel/{release}")
    os.makedirs(f"{tree}/build", exist_ok=True)
    must("rsync", "-a", "--delete", "--exclude=/build", "--exclude=/.git", f"{top}/", f"{tree}/")
    must(f"{top}/tools/testing/vm/newer.sh", f"{top}/build/newer")
    for part in ("kernel", "selftests", "newer"):
        must("rsync", "-a", "--delete", f"{top}/build/{part}/", f"{tree}/build/{part}/")


def build(release):
    return run("tools/build/modules.sh", release, f"{tree}/build/modules/{release}", cwd=tree)


def script(test):
    """the program with maps by address, and with pinned pages"""
    path = f"{tree}/build/script.sh"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"""source tools/testing/vm/lib.sh
for model in "" use_va=0; do
    load_modules $model || exit 1
    timeout -k 5 200 build/selftests/{test} || exit 1
    unload_modules || exit 1
done
""")
    return path


def noticed(test):
    """what the test or the kernel said of it, or nothing"""
    if test == "kunit":
        said = re.findall(r"^not ok.*", run("tools/testing/kunit/run.sh", cwd=tree).stdout, re.M)
        return said[0] if said else ""
    # who waits for a lock that nobody gives back is not waited for
    done = run("tools/testing/vm/run.sh", "-t", "300", "-a", "sysctl.kernel.hung_task_panic=1",
               "-o", "build/vm/mutant", "--", script(test), cwd=tree)
    if not done.returncode:
        return ""
    said = re.findall(r"^not ok.*|.*(?:WARNING:|BUG:|Oops).*|^vm: no end.*|^rmmod: .*",
                      done.stdout, re.M)
    return said[0] if said else f"status {done.returncode}"


def plant(mutant):
    """Return: whether it could be"""
    path = f"{tree}/{mutant.path}"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.count(mutant.old) != 1:
        return False
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(mutant.old, mutant.new))
    return True


def restore(mutant, release):
    """the file as it was, and newer than what was built of it"""
    prepare(release)
    os.utime(f"{tree}/{mutant.path}")


def main():
    release = os.environ.get("KVER") or must(f"{top}/tools/build/kver.sh")
    wanted = [each for each in MUTANTS if not sys.argv[1:] or each.name in sys.argv[1:]]
    prepare(release)
    for mutant in wanted:
        if not plant(mutant):
            print(f"not ok mutants: {mutant.name}: {mutant.path} has no place for it")
            continue
        done = build(release)
        if done.returncode:
            print(f"not ok mutants: {mutant.name} does not build\n{done.stdout}")
            restore(mutant, release)
            continue
        said = noticed(mutant.test)
        restore(mutant, release)
        print(f"{'ok' if said else 'not ok'} mutants: {mutant.name}: "
              f"{said or mutant.test + ' does not notice'}", flush=True)
    build(release)
    for test in sorted({each.test for each in wanted}):
        said = noticed(test)
        print(f"{'not ok' if said else 'ok'} mutants: {test} passes without: {said}", flush=True)


main()
