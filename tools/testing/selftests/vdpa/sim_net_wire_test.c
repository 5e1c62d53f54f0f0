// SPDX-License-Identifier: GPL-2.0-only
/* Two network simulators joined back to back, each with a driver in its own process. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/vdpa.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include "device.h"
#include "net.h"
#include "nl.h"
#include "pages.h"
#include "kselftest_harness.h"

#define A "t-wire-a"
#define B "t-wire-b"
#define C "t-wire-c"
#define BIT(n) (1ull << (n))

static const uint8_t mac_a[6] = { 0x52, 0x54, 0, 0, 0, 0xa };
static const uint8_t mac_b[6] = { 0x52, 0x54, 0, 0, 0, 0xb };

FIXTURE(wire) {
	struct net a, b;
	char why[DEVICE_WHY];
	long pinned;
};

FIXTURE_VARIANT(wire) {
	uint64_t without_a, without_b;
};

#define PACKED BIT(VIRTIO_F_RING_PACKED)
#define MERGE BIT(VIRTIO_NET_F_MRG_RXBUF)

FIXTURE_VARIANT_ADD(wire, alike) { .without_a = PACKED, .without_b = PACKED };
FIXTURE_VARIANT_ADD(wire, unlike) { .without_a = PACKED | MERGE, .without_b = 0 };

static int create(const char *name, const uint8_t *mac, const char *peer, char *why)
{
	const struct wish wishes[] = {
		{ VDPA_ATTR_DEV_NET_CFG_MACADDR, 6, .bytes = mac },
		{ peer ? VDPA_ATTR_DEV_NET_PEER : 0, .text = peer },
		{},
	};

	return device_create(name, "vdpasim_net", wishes, why);
}

static void remove_all(void)
{
	static const char *const names[] = { A, B, C };
	int i;

	for (i = 0; i < 3; i++)
		if (device_exists(names[i]))
			device_del(names[i]);
}

FIXTURE_SETUP(wire)
{
	remove_all();
	self->pinned = pages_pinned();
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	ASSERT_EQ(0, create(A, mac_a, NULL, NULL));
	ASSERT_EQ(0, create(B, mac_b, A, NULL));
	ASSERT_EQ(0, device_bind(A, "vhost_vdpa"));
	ASSERT_EQ(0, device_bind(B, "vhost_vdpa"));
	ASSERT_EQ(0, net_start(&self->a, A, ~variant->without_a));
	self->b.vhost.fd = -1;
}

FIXTURE_TEARDOWN(wire)
{
	net_stop(&self->a);
	net_stop(&self->b);
	remove_all();
	EXPECT_EQ(self->pinned, pages_pinned());
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

/* What one sends the other gets, and it does not come back. */
TEST_F(wire, both_ways)
{
	struct net *from = &self->a, *to = &self->b;
	const uint8_t *mac = mac_b;
	uint32_t len;
	uint8_t *at;
	int i;

	ASSERT_EQ(0, net_start(&self->b, B, ~variant->without_b));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, net_transmit(from, mac, 1000));
		at = net_receive(to, &len, 20000);
		ASSERT_NE(NULL, at);
		EXPECT_EQ(NET_HDR + 1000, len);
		EXPECT_EQ(0, memcmp(at + NET_HDR, from->frame + NET_HDR, 1000));
		EXPECT_EQ(NULL, net_receive(from, &len, 100));
		from = &self->b;
		to = &self->a;
		mac = mac_a;
	}
	EXPECT_EQ(1, vstat(A, 1, "tx packets"));
	EXPECT_EQ(1, vstat(A, 0, "rx packets"));
	EXPECT_EQ(1, vstat(B, 1, "tx packets"));
	EXPECT_EQ(1000, vstat(B, 0, "rx bytes"));
}

/* Nobody there, or somebody who does not run: frames are dropped, counted at the sender. */
TEST_F(wire, nobody_there)
{
	uint32_t len;

	ASSERT_EQ(0, net_transmit(&self->a, mac_b, 60));
	ASSERT_EQ(0, net_start(&self->b, B, ~variant->without_b));
	EXPECT_EQ(NULL, net_receive(&self->b, &len, 100));
	net_stop(&self->b);
	ASSERT_EQ(0, device_del(B));
	ASSERT_EQ(0, net_transmit(&self->a, mac_b, 60));
	/* to oneself neither: the other end is loose */
	ASSERT_EQ(0, net_transmit(&self->a, mac_a, 60));
	EXPECT_EQ(NULL, net_receive(&self->a, &len, 100));
	EXPECT_EQ(3, vstat(A, 1, "tx packets"));
	/* and somebody new can be joined to it */
	ASSERT_EQ(0, create(C, mac_b, A, NULL));
	ASSERT_EQ(0, device_bind(C, "vhost_vdpa"));
	ASSERT_EQ(0, net_start(&self->b, C, ~variant->without_b));
	ASSERT_EQ(0, net_transmit(&self->a, mac_b, 60));
	EXPECT_NE(NULL, net_receive(&self->b, &len, 20000));
}

/* Each in the memory of another process, both ways at once. */
TEST_F_TIMEOUT(wire, two_processes, 60)
{
	uint32_t len;
	uint8_t *at;
	int i, status;
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (!child) {
		struct net net;

		/* sends back what it gets */
		if (net_start(&net, B, ~variant->without_b))
			_exit(1);
		for (i = 0; i < 20; i++) {
			at = net_receive(&net, &len, 5000);
			if (!at)
				_exit(2);
			memcpy(net.frame, at, len);
			memset(net.frame, 0, NET_HDR);
			memcpy(net.frame + NET_HDR, mac_a, 6);
			if (net_send(&net, len - NET_HDR))
				_exit(3);
		}
		net_stop(&net);
		_exit(0);
	}
	usleep(300000);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, net_transmit(&self->a, mac_b, 100 + 60 * i));
		at = net_receive(&self->a, &len, 5000);
		ASSERT_NE(NULL, at);
		EXPECT_EQ(NET_HDR + 100 + 60 * i, len);
		EXPECT_EQ(0, memcmp(at + NET_HDR + 6, self->a.frame + NET_HDR + 6,
				    len - NET_HDR - 6));
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* The other process dies with frames under way. */
TEST_F_TIMEOUT(wire, killed, 60)
{
	int i, round, status;
	pid_t child;

	for (round = 0; round < 5; round++) {
		child = fork();
		ASSERT_LE(0, child);
		if (!child) {
			struct net net;

			net_start(&net, B, ~variant->without_b);
			for (;;)
				net_transmit(&net, mac_a, 1000);
		}
		usleep(200000);
		for (i = 0; i < 40; i++) {
			if (i == 20)
				kill(child, SIGKILL);
			ASSERT_EQ(0, net_transmit(&self->a, mac_b, 1000));
		}
		ASSERT_EQ(child, waitpid(child, &status, 0));
	}
	EXPECT_FALSE(vhost_get_status(&self->a.vhost) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

static int set_link(const char *name, uint8_t up)
{
	struct nl nl;
	int err;

	if (!nl_open(&nl))
		return -EPROTO;
	err = nl_set_link(&nl, name, up);
	nl_close(&nl);
	return err;
}

/* Status of configuration space, or -errno. */
static int link_status(struct net *net)
{
	struct {
		struct vhost_vdpa_config head;
		uint16_t status;
	} __attribute__((packed)) config = { .head.off = 6, .head.len = 2 };

	return vhost_ioctl(&net->vhost, VHOST_VDPA_GET_CONFIG, &config) ?: config.status;
}

static bool interrupted(int fd, int milliseconds)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t count;

	return poll(&pfd, 1, milliseconds) == 1 && read(fd, &count, 8) == 8;
}

/* Either end takes the link down for both; both hear of it and may announce themselves. */
TEST_F(wire, link)
{
	int call_a = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int call_b = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	uint32_t len;

	ASSERT_EQ(0, net_start(&self->b, B, ~variant->without_b));
	ASSERT_EQ(0, vhost_ioctl(&self->a.vhost, VHOST_VDPA_SET_CONFIG_CALL, &call_a));
	ASSERT_EQ(0, vhost_ioctl(&self->b.vhost, VHOST_VDPA_SET_CONFIG_CALL, &call_b));
	EXPECT_EQ(VIRTIO_NET_S_LINK_UP, link_status(&self->a));
	EXPECT_EQ(VIRTIO_NET_S_LINK_UP, link_status(&self->b));

	ASSERT_EQ(0, set_link(B, 0));
	EXPECT_TRUE(interrupted(call_a, 20000));
	EXPECT_TRUE(interrupted(call_b, 20000));
	EXPECT_EQ(0, link_status(&self->a));
	EXPECT_EQ(0, link_status(&self->b));
	ASSERT_EQ(0, net_transmit(&self->a, mac_b, 60));
	EXPECT_EQ(NULL, net_receive(&self->b, &len, 100));

	ASSERT_EQ(0, set_link(B, 1));
	EXPECT_TRUE(interrupted(call_a, 20000));
	EXPECT_TRUE(interrupted(call_b, 20000));
	EXPECT_EQ(VIRTIO_NET_S_LINK_UP, link_status(&self->a));
	EXPECT_EQ(VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE, link_status(&self->b));
	EXPECT_EQ(VIRTIO_NET_OK, net_control(&self->b, VIRTIO_NET_CTRL_ANNOUNCE,
					     VIRTIO_NET_CTRL_ANNOUNCE_ACK, NULL, 0));
	EXPECT_EQ(VIRTIO_NET_S_LINK_UP, link_status(&self->b));
	ASSERT_EQ(0, net_transmit(&self->a, mac_b, 60));
	EXPECT_NE(NULL, net_receive(&self->b, &len, 20000));

	/* nothing changes: nothing is heard */
	ASSERT_EQ(0, set_link(B, 1));
	EXPECT_FALSE(interrupted(call_a, 200));
	EXPECT_NE(0, set_link(B, 2));
	EXPECT_EQ(VIRTIO_NET_S_LINK_UP, link_status(&self->b));

	/* the other end goes, and with it the link */
	net_stop(&self->b);
	ASSERT_EQ(0, device_del(B));
	EXPECT_TRUE(interrupted(call_a, 20000));
	EXPECT_EQ(0, link_status(&self->a));
	close(call_a);
	close(call_b);
}

TEST_F(wire, refused)
{
	EXPECT_EQ(-EBUSY, create(C, mac_b, A, self->why));
	EXPECT_NE(NULL, strstr(self->why, "joined to another"));
	EXPECT_EQ(-ENODEV, create(C, mac_b, "t-nobody", self->why));
	EXPECT_NE(NULL, strstr(self->why, "no simulated device"));
	EXPECT_EQ(-ENODEV, create(C, mac_b, C, self->why));
	EXPECT_FALSE(device_exists(C));
}

/* Created with its link down. */
TEST_F(wire, down_at_first)
{
	static const struct wish wishes[] = {
		{ VDPA_ATTR_DEV_NET_CFG_MACADDR, 6, .bytes = mac_b },
		{ VDPA_ATTR_DEV_NET_LINK, 1, 0 },
		{},
	};
	uint32_t len;

	ASSERT_EQ(0, device_create(C, "vdpasim_net", wishes, NULL));
	ASSERT_EQ(0, device_bind(C, "vhost_vdpa"));
	ASSERT_EQ(0, net_start(&self->b, C, ~variant->without_b));
	EXPECT_EQ(0, link_status(&self->b));
	ASSERT_EQ(0, net_transmit(&self->b, mac_b, 60));
	EXPECT_EQ(NULL, net_receive(&self->b, &len, 100));
	ASSERT_EQ(0, set_link(C, 1));
	ASSERT_EQ(0, net_transmit(&self->b, mac_b, 60));
	EXPECT_NE(NULL, net_receive(&self->b, &len, 20000));
}

TEST_HARNESS_MAIN
