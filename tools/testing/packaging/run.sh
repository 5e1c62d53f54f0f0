#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The Debian package in a clean root of the distribution: it is installed, builds the modules
# for the kernel that is there, they are picked before the kernel's own and signed; removed,
# nothing of it is left.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
cd "$top" || exit 1
release=${KVER:-$(tools/build/kver.sh)}
root=$top/build/packaging/root
clean=$top/build/packaging/clean.tar
log=$top/build/logs/packaging.log
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)

# with a /proc that goes away by itself
inside() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		unshare -m sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" "$@"
}

verdict() {
	local name=$1
	shift
	if "$@" >>"$log" 2>&1; then
		echo "ok packaging: $name"
	else
		echo "not ok packaging: $name"
		tail -n 30 "$log"
	fi
}

# what the package needs, fetched once
make_root() {
	local suite
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME")

	"${as_root[@]}" rm -rf "$root"
	mkdir -p "$root"
	if [ ! -e "$clean" ]; then
		"${as_root[@]}" debootstrap --variant=minbase "$suite" "$root" \
			"$(apt-get indextargets --format '$(REPO_URI) $(SUITE) $(CODENAME)' |
			awk -v suite="$suite" '$2 == suite || $3 == suite || $2 ~ "stable$" { print $1; exit }')" &&
			"${as_root[@]}" rm -rf "$root/etc/apt/sources.list" "$root/etc/apt/sources.list.d" &&
			"${as_root[@]}" cp -r /etc/apt/sources.list.d "$root/etc/apt/" &&
			{ [ ! -e /etc/apt/sources.list ] || "${as_root[@]}" cp /etc/apt/sources.list "$root/etc/apt/"; } &&
			"${as_root[@]}" cp -r /etc/apt/apt.conf.d /etc/apt/trusted.gpg.d "$root/etc/apt/" &&
			"${as_root[@]}" cp -r /usr/share/keyrings/. "$root/usr/share/keyrings/" &&
			"${as_root[@]}" cp /etc/resolv.conf /etc/hosts "$root/etc/" &&
			inside apt-get -q update &&
			inside apt-get -q -y --no-install-recommends install dkms udev kmod openssl \
				"linux-headers-$release" &&
			"${as_root[@]}" tar -C "$root" -cf "$clean.tmp" . && mv "$clean.tmp" "$clean" || return 1
	else
		"${as_root[@]}" tar -C "$root" -xf "$clean" || return 1
	fi
	# the kernel's own modules, without its image and all that it drags in
	"${as_root[@]}" cp -a "$top/build/kernel/$release/lib/modules/$release/." \
		"$root/lib/modules/$release/" &&
		"${as_root[@]}" rm -rf "$root/lib/modules/$release/updates" &&
		inside depmod "$release"
}

first() { inside modprobe -S "$release" --show-depends "$1" | tail -n 1; }
package() { basename "$(ls "$top"/build/deb/vdpa-dkms_*.deb)"; }

# as the documents say, with the second line for the clean root
documented() {
	local recipe
	recipe=$(tools/testing/docs/example.py Documentation/admin-guide/vdpa/installing.rst recipe-deb) &&
		grep -x "$1" <<<"$recipe"
}

builds() { rm -rf build/deb && $(documented "make deb"); }

installs() {
	documented "apt install ./build/deb/vdpa-dkms_\*.deb" &&
		"${as_root[@]}" cp "$top/build/deb/$(package)" "$root/tmp/" &&
		inside apt-get -q -y install "/tmp/$(package)" &&
		inside dkms status vdpa | grep -c ": installed"
}

picked() {
	local module
	for module in vdpa vhost_vdpa virtio_vdpa vdpa_sim_net vdpa_sim_blk vp_vdpa vdpa_slice_sim; do
		first $module
		first $module | grep -c "/updates/dkms/$module.ko" || return 1
	done
}

same_as_ours() {
	[ "$(inside modinfo -k "$release" -F srcversion vdpa)" = \
		"$(modinfo -F srcversion "build/modules/$release/drivers/vdpa/vdpa.ko")" ]
}

# DKMS makes the machine's key when there is none
is_signed() { inside modinfo -k "$release" -F sig_id vdpa | grep -c PKCS; }

rules_are_there() {
	[ -e "$root/usr/lib/udev/rules.d/60-vdpa.rules" ] && [ -x "$root/usr/lib/udev/vdpa-node" ] && inside getent group vdpa
}

removes() {
	inside dpkg -r vdpa-dkms && inside dpkg -P vdpa-dkms &&
		! first vdpa | grep updates && first vdpa | grep -c kernel/drivers/vdpa &&
		[ -z "$(inside find /lib/modules -path '*updates*' -name '*.ko*')" ] &&
		[ ! -e "$root/etc/modprobe.d/vdpa.conf" ] && ! inside sh -c 'ls -d /usr/src/vdpa-*'
}

mkdir -p "$top/build/packaging" "$top/build/logs"
: >"$log"
tools/testing/vm/kernel.sh "$release" "build/modules/$release" "$top/build/kernel/$release" || exit 1
verdict "a clean root" make_root
verdict "the package is built" builds
verdict "installs, and builds the modules" installs
verdict "modules are picked before the kernel's own" picked
verdict "they are the same that we build" same_as_ours
verdict "they are signed" is_signed
verdict "udev rule and group" rules_are_there
verdict "is removed, and nothing is left" removes
