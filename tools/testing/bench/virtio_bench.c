// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a simulated device costs the kernel's own drivers, over virtio_vdpa: packets that
 * come back to the socket that sent them, and fio on the disk.
 *
 *	virtio_bench NAME...	one figure a line, "FIGURE VALUE UNIT"
 */
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "bench.h"
#include "device.h"

#define NAME "bench"
/* for experiments, so that nobody else takes the frames */
#define PROTOCOL 0x88b5
#define DEPTH 64
#define RUN_PACKETS 50000
#define RUN_REQUESTS "10000"

static const uint8_t mac[6] = { 0x52, 0x54, 0, 0, 0, 1 };

static bool has_child(const void *kind)
{
	char child[64];

	return device_child(NAME, kind, child, sizeof(child));
}

static void device_start(const char *mgmtdev, const char *kind, char *child, size_t size)
{
	if (!strcmp(mgmtdev, "vdpasim_net"))
		must(device_add_net(NAME, mac, 0), "dev add");
	else
		must(device_add(NAME, mgmtdev), "dev add");
	must(device_bind(NAME, "virtio_vdpa"), "bind");
	if (!wait_until(has_child, kind, 5) || !device_child(NAME, kind, child, size))
		die("no child");
}

/* Network */

static struct mmsghdr msgs[DEPTH];
static struct iovec vecs[DEPTH];
static char frames[DEPTH][1600];

static int link_up(const char *name)
{
	struct ifreq ifr = {};
	char path[128];
	int sock = socket(AF_INET, SOCK_DGRAM, 0);

	/* no frames but ours */
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	write_file(path, "1");
	memcpy(ifr.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	ifr.ifr_flags = IFF_UP;
	if (ioctl(sock, SIOCSIFFLAGS, &ifr))
		die("link up");
	close(sock);
	return if_nametoindex(name);
}

static int packet_socket(int index)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(PROTOCOL),
		.sll_ifindex = index,
	};
	struct timeval patience = { .tv_sec = 5 };
	int sock = socket(AF_PACKET, SOCK_RAW, htons(PROTOCOL)), on = 1, room = 4 << 20;

	if (sock < 0 || bind(sock, (void *)&at, sizeof(at)) ||
	    setsockopt(sock, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
	    setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) ||
	    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		die("socket");
	return sock;
}

static void fill_frames(uint32_t size)
{
	int i;

	for (i = 0; i < DEPTH; i++) {
		memcpy(frames[i], mac, 6);
		memcpy(frames[i] + 6, mac, 6);
		frames[i][12] = PROTOCOL >> 8;
		frames[i][13] = PROTOCOL & 0xff;
		vecs[i] = (struct iovec) { frames[i], size };
		msgs[i].msg_hdr = (struct msghdr) { .msg_iov = &vecs[i], .msg_iovlen = 1 };
	}
}

static void run_packets(int sock, unsigned int packets)
{
	unsigned int done;
	int got;

	for (; packets; packets -= DEPTH < packets ? DEPTH : packets) {
		if (sendmmsg(sock, msgs, DEPTH, 0) != DEPTH)
			die("send");
		for (done = 0; done < DEPTH; done += got) {
			got = recvmmsg(sock, msgs, DEPTH - done, MSG_WAITFORONE, NULL);
			if (got <= 0)
				die("receive");
		}
	}
}

static void net_figure(const char *figure, uint32_t size)
{
	char name[64];
	double t;
	int sock;

	device_start("vdpasim_net", "virtio*/net/*", name, sizeof(name));
	sock = packet_socket(link_up(name));
	fill_frames(size);
	run_packets(sock, RUN_PACKETS / 10);
	t = now();
	run_packets(sock, RUN_PACKETS);
	report(figure, RUN_PACKETS / (now() - t), "packets/s");
	close(sock);
	must(device_del(NAME), "dev del");
}

static void net_64(void)
{
	net_figure("virtio.net.64", 64);
}

static void net_1500(void)
{
	net_figure("virtio.net.1500", 1500);
}

/* Block */

static void blk_figure(const char *figure, int depth)
{
	char disk[64], command[512], line[4096], *field = line;
	FILE *fio;
	int i;

	device_start("vdpasim_blk", "virtio*/block/*", disk, sizeof(disk));
	snprintf(command, sizeof(command),
		 "dd if=/dev/urandom of=/dev/%s bs=1M count=64 oflag=direct 2>/dev/null && "
		 "fio --name=bench --filename=/dev/%s --direct=1 --rw=randread --bs=4k --size=64M "
		 "--ioengine=libaio --iodepth=%d --number_ios=" RUN_REQUESTS " --randseed=1 "
		 "--thread --minimal 2>/dev/null", disk, disk, depth);
	fio = popen(command, "r");
	if (!fio || !fgets(line, sizeof(line), fio) || pclose(fio))
		die("fio");
	/* the eighth field of its terse output is the rate of reads */
	for (i = 0; i < 7 && field; i++)
		field = strchr(field, ';') + 1;
	report(figure, atof(field), "IOPS");
	must(device_del(NAME), "dev del");
}

static void blk_1(void)
{
	blk_figure("virtio.blk.1", 1);
}

static void blk_32(void)
{
	blk_figure("virtio.blk.32", 32);
}

static const struct bench_figure figures[] = {
	{ "vnet64", net_64 },
	{ "vnet1500", net_1500 },
	{ "vblk1", blk_1 },
	{ "vblk32", blk_32 },
	{},
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, figures);
}
