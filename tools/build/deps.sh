#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Install what building and testing need, by apt, after saying so.
#
#   deps.sh		install what is missing
#   deps.sh --list	print the whole list
#
# The kernel to build against is the newest 6.12 whose headers are installed, or
# else the newest that the distribution offers. $KVER chooses another.
set -euo pipefail

arch=$(dpkg --print-architecture)

# Newest of the installed, then of the offered, kernel headers of this series.
kernel_release() {
	local kver

	if [ -n "${KVER:-}" ]; then
		echo "$KVER"
		return
	fi
	kver=$("$(dirname "$0")/kver.sh" || true)
	if [ -z "$kver" ]; then
		kver=$(apt-cache pkgnames linux-headers-6.12. |
			sed -n "s/^linux-headers-\(6\.12\.[0-9]*+deb[0-9]*-$arch\)$/\1/p" |
			sort -V | tail -n 1)
	fi
	echo "$kver"
}

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]
}

kver=$(kernel_release)
if [ -z "$kver" ]; then
	# a machine whose package lists were never fetched
	if [ "$(id -u)" -eq 0 ]; then apt-get -qq update; else sudo apt-get -qq update; fi
	kver=$(kernel_release)
fi

packages=(
	build-essential bc bison flex libelf-dev libssl-dev	# kernel builds
	"linux-headers-$kver" linux-source-6.12			# what we build against
	sparse libmnl-dev python3 python3-yaml python3-jsonschema
	qemu-system-x86 busybox-static cpio kmod xz-utils zstd	# the virtual machine
	iproute2 iputils-ping e2fsprogs fio ethtool iperf3 patch rsync	# clients and tools
	dpdk-dev						# its testpmd
	debootstrap udev					# the Debian package
	python3-sphinx graphviz					# the documents
	linux-perf bpftrace					# whose examples are run
	ccache							# kernels that look on
	clang-16 lld-16 llvm-16 gcc-s390x-linux-gnu coccinelle	# static checks
	qemu-system-misc					# a machine of the other byte order
)

# drivers that testpmd loads at run time; their names count ABI versions
dpdk_drivers() {
	local driver
	for driver in net-virtio mempool-ring bus-vdev; do
		apt-cache pkgnames "librte-$driver" | grep -E "^librte-$driver-?[0-9]+$" |
			sort -V | tail -n 1
	done
}

mapfile -t -O ${#packages[@]} packages < <(dpdk_drivers)

if [ "${1:-}" = --list ]; then
	printf '%s\n' "${packages[@]}"
	exit
fi

missing=()
for package in "${packages[@]}"; do
	installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit

echo "These packages are needed and will be installed by apt:"
printf '  %s\n' "${missing[@]}"

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "deps: not root and no sudo here; install them and try again" >&2
		exit 1
	fi
	as_root=(sudo)
fi

log=$(mktemp)
install_all() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
		--no-install-recommends "${missing[@]}" >"$log" 2>&1
}

# stale package lists are the usual reason for a first failure
if ! install_all; then
	"${as_root[@]}" apt-get -qq update
	if ! install_all; then
		tail -n 20 "$log" >&2
		exit 1
	fi
fi
rm -f "$log"
