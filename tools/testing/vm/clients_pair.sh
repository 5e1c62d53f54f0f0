#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the machine: two simulated network devices joined back to back, each under the
# kernel's virtio_net in a network namespace of its own; iperf3 between them, and ethtool.
set -uo pipefail

source tools/testing/vm/lib.sh
suite=pair

a_address=10.9.8.1 b_address=10.9.8.2

create() {
	ynl dev-new '{"mgmtdev-dev-name":"vdpasim_net", "dev-name":"p-a", "dev-net-cfg-max-vqp":4}' &&
		ynl dev-new '{"mgmtdev-dev-name":"vdpasim_net", "dev-name":"p-b",
			"dev-net-cfg-max-vqp":4, "dev-net-peer":"p-a"}'
}

# into_namespace DEVICE ADDRESS: its interface, as eth0 in a namespace of its name
into_namespace() {
	bind_to "$1" virtio_vdpa && wait_for net_of "$1" && ip netns add "$1" &&
		ip link set "$(net_of "$1")" netns "$1" name eth0 &&
		in_ns "$1" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1 &&
		in_ns "$1" ip addr add "$2/24" dev eth0 &&
		in_ns "$1" ip link set eth0 up
}

in_ns() { ip netns exec "$@"; }

namespaces() {
	into_namespace p-a $a_address && into_namespace p-b $b_address &&
		in_ns p-a ping -c 20 -i 0.05 -W 2 $b_address
}

# iperf OPTION...: a second of it, and much got through
iperf() {
	local report=/run/vm/out/iperf.json
	in_ns p-b iperf3 -s -1 -D --pidfile /run/iperf.pid && sleep 0.3
	in_ns p-a timeout 30 iperf3 -c $b_address -t 1 -J "$@" >$report || { cat $report; return 1; }
	python3 -c "
import json
end = json.load(open('$report'))['end']
print(end['sum_sent'], end['sum_received'])
assert end['sum_received']['bytes'] > 2000000"
}

queues() {
	in_ns p-a ethtool -l eth0 | grep 'Combined:.*4' || return 1
	for n in 4 2 3 1 4; do
		in_ns p-a ethtool -L eth0 combined $n && in_ns p-b ethtool -L eth0 combined $n &&
			iperf -P 4 || return 1
	done
	# every pair has carried something
	for q in 1 3 5 7; do
		! vdpa dev vstats show p-a qidx $q | grep '^ *tx packets 0' || return 1
	done
}

queues_refused() { ! in_ns p-a ethtool -L eth0 combined 5; }

statistics() {
	in_ns p-a ethtool -S eth0 >/run/vm/out/stats && cat /run/vm/out/stats &&
		awk '/ tx_kicks:/ { kicks = $2 } END { exit kicks < 100 }' /run/vm/out/stats &&
		! grep -E '(drops|timeouts): [^0]' /run/vm/out/stats
}

# offload FEATURE...: without it, at either end, and with it again
offload() {
	local feature ns
	for feature in "$@"; do
		for ns in p-a p-b; do
			in_ns $ns ethtool -K eth0 "$feature" off && iperf &&
				in_ns $ns ethtool -K eth0 "$feature" on || return 1
		done
	done
	iperf && iperf -R
}

ring_sizes() {
	for n in 64 128 256; do
		in_ns p-a ethtool -G eth0 rx $n tx $n && in_ns p-b ethtool -G eth0 rx $n &&
			[ "$(in_ns p-a ethtool -g eth0 | awk '/^RX:/ { n = $2 } END { print n }')" = "$n" ] &&
			in_ns p-a ping -c 5 -i 0.05 -W 2 $b_address && iperf || return 1
	done
}

carrier() { in_ns "$1" cat /sys/class/net/eth0/carrier; }
carrier_is() { [ "$(carrier "$1")" = "$2" ]; }

link_state() {
	ynl dev-attr-set '{"dev-name":"p-b", "dev-net-link":0}' >/dev/null &&
		wait_for carrier_is p-a 0 && wait_for carrier_is p-b 0 &&
		! in_ns p-a ping -c 1 -W 1 $b_address &&
		ynl dev-attr-set '{"dev-name":"p-b", "dev-net-link":1}' >/dev/null &&
		wait_for carrier_is p-a 1 && wait_for carrier_is p-b 1 &&
		in_ns p-a ping -c 5 -i 0.2 -W 2 $b_address
}

vlan() {
	local ns
	for ns in p-a p-b; do
		in_ns $ns ip link add link eth0 name eth0.7 type vlan id 7 &&
			in_ns $ns ip link set eth0.7 up || return 1
	done
	in_ns p-a ip addr add 10.9.7.1/24 dev eth0.7 && in_ns p-b ip addr add 10.9.7.2/24 dev eth0.7 &&
		in_ns p-a ping -c 5 -i 0.05 -W 2 10.9.7.2 &&
		in_ns p-b ip link del eth0.7 && ! in_ns p-a ping -c 1 -W 1 10.9.7.2
}

# the filter lets in what is not its own only while it is asked to
promiscuous() {
	in_ns p-b ip link set eth0 promisc on && in_ns p-b ip link set eth0 address 52:54:00:99:99:99 &&
		in_ns p-a ip neigh flush all && in_ns p-a ping -c 3 -i 0.05 -W 2 $b_address &&
		in_ns p-b ip link set eth0 promisc off && in_ns p-a ping -c 3 -i 0.05 -W 2 $b_address
}

peer_goes() {
	vdpa dev del p-b && wait_for carrier_is p-a 0 && vdpa dev del p-a &&
		ip netns del p-a && ip netns del p-b && [ -z "$(ls /sys/bus/vdpa/devices)" ]
}

load_modules "$@" || exit 1
test_case "two devices are joined at creation" create
test_case "each is an interface in a namespace, and they see each other" namespaces
test_case "iperf3: TCP" iperf
test_case "iperf3: TCP, the other way" iperf -R
test_case "iperf3: UDP" iperf -u -b 50M
test_case "ethtool -L: queues" queues
test_case "ethtool -L: more than there are" queues_refused
test_case "ethtool -S: statistics, no errors" statistics
test_case "ethtool -K: offloads" offload tx gso tso gro
test_case "ethtool -G: ring sizes" ring_sizes
test_case "link state" link_state
test_case "VLAN" vlan
test_case "promiscuous, and a new address" promiscuous
test_case "the peer goes" peer_goes
test_case "modules unload" unload_modules
