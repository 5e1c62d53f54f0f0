#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: QEMU, as the documents have it, whose guest uses a simulated network device
# and a simulated disk as virtio devices on its PCI bus.
#
#   nested.sh QEMU KERNEL INITRAMFS [parameter of vdpa_sim...]
set -uo pipefail

source tools/testing/vm/lib.sh

qemu=$1 kernel=$2 initramfs=$3
shift 3
model=${*:-va}
log=/run/vm/out/guest.log

verdict() {
	if [ "$2" -eq 0 ]; then echo "ok qemu: $model: $1"; else echo "not ok qemu: $model: $1"; fi
}

said() { grep -aq "^guest: $1" "$log"; }

load_modules "$@"
vdpa dev add name q-net mgmtdev vdpasim_net mac 52:54:00:00:00:01
vdpa dev add name q-blk mgmtdev vdpasim_blk
bind_to q-net vhost_vdpa
bind_to q-blk vhost_vdpa
net=/dev/$(basename /sys/bus/vdpa/devices/q-net/vhost-vdpa-*)
blk=/dev/$(basename /sys/bus/vdpa/devices/q-blk/vhost-vdpa-*)

ulimit -l unlimited
recipe=$(example clients recipe-qemu)
recipe=${recipe//"/dev/vhost-vdpa-0"/$net}
recipe=${recipe//"/dev/vhost-vdpa-1"/$blk}
# and what is only for a guest in a hurry, which without ACPI ends by what would be a reboot
hurry="quiet panic=-1 tsc=unstable mitigations=off nokaslr cryptomgr.notests acpi=off 8250.nr_uarts=1"
hurry+=" initcall_blacklist=jent_mod_init,trace_eval_init,init_kprobe_trace"
qemu-system-x86_64() {
	timeout 900 "$qemu" -nodefaults -no-user-config -display none -no-reboot \
		-accel tcg,thread=single -smp 1 -kernel "$kernel" -initrd "$initramfs" \
		-append "console=ttyS0 $hurry reboot=t" -serial "file:$log" \
		-global virtio-net-pci.romfile= "$@"
}
eval "$recipe" >/run/vm/out/qemu.log 2>&1
verdict "QEMU ends well" $?
sed 's/^/# /' /run/vm/out/qemu.log
[ -e /run/vm/out/qemu.log ] && ! grep -aiE 'map.*fail|fail.*map' /run/vm/out/qemu.log
verdict "QEMU maps all it wants to" $?
tr -d '\r' <"$log" | grep -a '^guest:' | sed 's/^/# /'

said "network ok"; verdict "the guest's frames come back over netdev vhost-vdpa" $?
said "block ok"; verdict "the guest's disk over vhost-vdpa-device-pci keeps what it is given" $?
build/selftests/vhost-read q-blk 65536 28 | grep -a '^sector 00000001 of the guest'
verdict "what the guest wrote is on the device" $?
echo 1 >/proc/sys/vm/stat_refresh
[ "$(pinned)" -eq 0 ]; verdict "nothing stays pinned" $?
