#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Make a Debian package that builds the modules on the machine that it is installed on, by
# DKMS, with a udev rule and a file of module options.
#
#   deb.sh OUTPUT	prints the package's path
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
output=$(realpath -m "$1")
version=0.$(git -C "$top" rev-list --count HEAD 2>/dev/null || echo 0)
root=$output/root
source=$root/usr/src/vdpa-$version

# as the module build has them, which is the only place where they are said
options=$(sed -n '/^exec make/,$p' "$top/tools/build/modules.sh" |
	grep -o 'CONFIG_[A-Z_]*=[my]' | grep -vE 'SAMPLE|LIAR' | tr '\n' ' ')

filled() { sed -e "s|@VERSION@|$version|g" -e "s|@OPTIONS@|$options|g" "$here/$1"; }

# every module that the build makes, and where
modules() {
	local n=0 ko

	while read -r ko; do
		printf 'BUILT_MODULE_NAME[%d]="%s"\n' $n "$(basename "$ko" .ko)"
		printf 'BUILT_MODULE_LOCATION[%d]="%s"\n' $n "$(dirname "$ko")"
		printf 'DEST_MODULE_LOCATION[%d]="/updates/dkms"\n' $n
		n=$((n + 1))
	done
}

rm -rf "$output"
mkdir -p "$source" "$root/DEBIAN"
cp -r "$top/Kbuild" "$top/drivers" "$top/include" "$top/LICENSES" "$source/"
release=$("$top/tools/build/kver.sh")
{
	filled dkms.conf
	(cd "$top/build/modules/$release" &&
		find drivers -name '*.ko' -not -path '*/tests/*' | sort) | modules
} >"$source/dkms.conf"

install -D -m 644 "$here/60-vdpa.rules" "$root/usr/lib/udev/rules.d/60-vdpa.rules"
install -D -m 755 "$here/vdpa-node" "$root/usr/lib/udev/vdpa-node"
install -D -m 644 "$here/modprobe.conf" "$root/etc/modprobe.d/vdpa.conf"
for script in postinst prerm; do
	filled $script >"$root/DEBIAN/$script"
	chmod 755 "$root/DEBIAN/$script"
done
echo /etc/modprobe.d/vdpa.conf >"$root/DEBIAN/conffiles"
cat >"$root/DEBIAN/control" <<-END
	Package: vdpa-dkms
	Version: $version
	Architecture: all
	Section: kernel
	Priority: optional
	Depends: dkms, udev
	Recommends: iproute2, openssl
	Maintainer: vDPA developers <virtualization@lists.linux.dev>
	Description: vDPA subsystem of the kernel, as modules that are built on this machine
	 The bus, virtio_vdpa, vhost_vdpa, drivers of virtio PCI functions and of slices,
	 and simulators. They are loaded instead of the kernel's own.
END
dpkg-deb --root-owner-group -b "$root" "$output" >/dev/null
ls "$output"/*.deb
