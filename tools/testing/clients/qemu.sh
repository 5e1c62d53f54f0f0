#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Print the path of a QEMU that has vhost-vdpa-device-pci, which came with release 8:
# the installed one if it is recent enough, else the one of the distribution's
# backports, unpacked with its libraries into a directory of its own.
#
#   qemu.sh OUTPUT
set -euo pipefail

output=$(realpath -m "$1")
program=qemu-system-x86_64

major() { "$@" -version | sed -nE '1s/.*version ([0-9]+)\..*/\1/p'; }

if [ "$(major $program)" -ge 8 ]; then
	command -v $program
	exit
fi

if [ ! -x "$output/run" ]; then
	rm -rf "$output"
	mkdir -p "$output"/{lists/partial,archives/partial,root}

	# the mirror that this machine uses anyway, but another suite
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME-backports")
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(SUITE)' | awk \
		-v suite="${suite%-backports}" '$2 ~ "stable$" || $2 == suite { print $1; exit }')
	key=$(ls /usr/share/keyrings/debian-archive-keyring.*gpg | head -n 1)
	for s in "${suite%-backports}" "$suite"; do
		echo "deb [signed-by=$key] $mirror $s main"
	done >"$output/sources.list"
	apt=(apt-get -q -o "Dir::Etc::sourcelist=$output/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State::lists=$output/lists" -o "Dir::Cache::archives=$output/archives"
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=
		-o Debug::NoLocking=1)
	{
		"${apt[@]}" update
		"${apt[@]}" -y --no-install-recommends --download-only -t "$suite" \
			install qemu-system-x86
	} >"$output/log" 2>&1 || { tail -n 20 "$output/log" >&2; exit 1; }

	for package in "$output"/archives/*.deb; do
		dpkg-deb -x "$package" "$output/root"
	done
	cat >"$output/run" <<-END
		#!/bin/sh
		here=\$(dirname "\$(realpath "\$0")")/root/usr
		LD_LIBRARY_PATH=\$here/lib/x86_64-linux-gnu \\
			exec "\$here/bin/$program" -L "\$here/share/qemu" \\
			-L "\$here/share/seabios" -L "\$here/lib/ipxe/qemu" "\$@"
	END
	chmod +x "$output/run"
	rm -rf "$output/lists" "$output/archives"
fi

[ "$(major "$output/run")" -ge 8 ]
realpath "$output/run"
