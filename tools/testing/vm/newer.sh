#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs of the distribution's newest suite, with their libraries and their loader in a
# directory of their own: QEMU, which has vhost-vdpa-device-pci and, since release 10.1, SR-IOV
# for virtio-net; iproute2; and libblkio, which releases up to 12 do not have.
#
#   newer.sh OUTPUT	makes OUTPUT/bin/qemu-system-x86_64, OUTPUT/bin/vdpa, OUTPUT/bin/devlink,
#			and OUTPUT/bin/blkio_check from samples/vdpa/
set -euo pipefail

output=$(realpath -m "$1")
cd "$(dirname "$0")/../../.."
suite=forky

mkdir -p "$(dirname "$output")"
# one at a time: tests run side by side
exec {lock}>"$output.lock"
flock "$lock"
[ "$output/bin/blkio_check" -nt samples/vdpa/blkio_check.c ] && exit

rm -rf "$output"
mkdir -p "$output"/{bin,lists/partial,archives/partial,root}

# the mirror that this machine uses anyway, but another suite, as if nothing were installed:
# what comes must not need the host's C library
mirror=$(apt-get indextargets --format '$(REPO_URI) $(SUITE) $(CODENAME)' | awk \
	-v here="$(. /etc/os-release && echo "$VERSION_CODENAME")" \
	'$2 ~ "stable$" || $2 == here || $3 == here { print $1; exit }')
key=$(ls /usr/share/keyrings/debian-archive-keyring.*gpg | head -n 1)
echo "deb [signed-by=$key] $mirror $suite main" >"$output/sources.list"
: >"$output/status"
apt=(apt-get -q -o "Dir::Etc::sourcelist=$output/sources.list" -o Dir::Etc::sourceparts=/dev/null
	-o "Dir::State::lists=$output/lists" -o "Dir::Cache::archives=$output/archives"
	-o "Dir::State::status=$output/status" -o Dir::Cache::pkgcache=
	-o Dir::Cache::srcpkgcache= -o APT::Sandbox::User= -o Debug::NoLocking=1)
{
	"${apt[@]}" update
	"${apt[@]}" -y --no-install-recommends --download-only install qemu-system-x86 iproute2 libblkio-dev
} >"$output/log" 2>&1 || { tail -n 20 "$output/log" >&2; exit 1; }

for package in "$output"/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$package" | tar -x -C "$output/root" --keep-directory-symlink
done
rm -rf "$output/lists" "$output/archives"

# wrap PROGRAM [ARGUMENT...]: it is run by its own loader, from wherever the directory is seen
wrap() {
	local program=$1
	shift
	cat >"$output/bin/$(basename "$program")" <<-END
		#!/bin/sh
		here=\$(dirname "\$(realpath "\$0")")/../root/usr
		lib=\$here/lib/x86_64-linux-gnu
		export QEMU_MODULE_DIR="\$lib/qemu"
		exec "\$lib/ld-linux-x86-64.so.2" --library-path "\$lib" --argv0 "\$here/$program" \\
			"\$here/$program" $* "\$@"
	END
	chmod +x "$output/bin/$(basename "$program")"
}

# linked with the newest library, of which the C library of this machine knows nothing
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -Wl,--allow-shlib-undefined \
	-I"$output/root/usr/include" -o "$output/root/usr/bin/blkio_check" \
	samples/vdpa/blkio_check.c "$output"/root/usr/lib/*/libblkio.so
wrap bin/blkio_check
wrap bin/qemu-system-x86_64 '-L "$here/share/qemu" -L "$here/share/seabios" -L "$here/lib/ipxe/qemu"'
for program in vdpa devlink; do
	wrap "$(cd "$output/root/usr" && ls -d {sbin,bin}/$program 2>/dev/null | head -n 1)"
	"$output/bin/$program" -V >&2
done
