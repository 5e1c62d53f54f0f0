// SPDX-License-Identifier: GPL-2.0-only
/* The network simulator under a driver of our own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include "device.h"
#include "nl.h"
#include "pages.h"
#include "vring.h"
#include "kselftest_harness.h"

#define NAME "t-net"
#define HDR 12
#define BUFFER 2048
#define BUFFERS 32
#define BIT(n) (1ull << (n))

static const uint8_t own[6] = { 0x52, 0x54, 0, 0, 0, 1 };	/* with zeroes inside */
static const uint8_t other[6] = { 0x52, 0x54, 0, 0, 0, 2 };
static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };
static const uint8_t multicast[6] = { 0x33, 0x33, 0, 0, 0, 1 };

FIXTURE(net) {
	struct vhost vhost;
	struct vring_queue rx, tx, ctrl;
	uint8_t *buffers, *frame, *command;
	uint8_t *at[256];
	long pinned;
};

FIXTURE_VARIANT(net) {
	uint64_t without;
};

FIXTURE_VARIANT_ADD(net, plain) {
	.without = BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX)
};
FIXTURE_VARIANT_ADD(net, all) { .without = 0 };

static struct vring_seg rx_buffer(struct vring_queue *rx, uint8_t *buffers, int i, uint32_t len)
{
	return (struct vring_seg) { buffers + i * BUFFER, len, true };
}

FIXTURE_SETUP(net)
{
	struct vring_seg seg;
	int i;

	if (device_exists(NAME))
		device_del(NAME);
	self->pinned = pages_pinned();
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	ASSERT_EQ(0, device_add_net(NAME, own, 0));
	ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
	ASSERT_EQ(0, vhost_open(&self->vhost, NAME));
	ASSERT_EQ(0, vhost_negotiate(&self->vhost, ~variant->without));
	ASSERT_EQ(0, vring_setup(&self->rx, &self->vhost, 0, 64, 0));
	ASSERT_EQ(0, vring_setup(&self->tx, &self->vhost, 1, 64, 0));
	ASSERT_EQ(0, vring_setup(&self->ctrl, &self->vhost, 2, 64, 0));
	self->buffers = vhost_alloc(&self->vhost, BUFFERS * BUFFER, 4096);
	self->frame = vhost_alloc(&self->vhost, 70000, 4096);
	self->command = vhost_alloc(&self->vhost, 64, 16);
	ASSERT_EQ(0, vhost_set_status(&self->vhost, vhost_get_status(&self->vhost) |
						    VIRTIO_CONFIG_S_DRIVER_OK));
	for (i = 0; i < BUFFERS; i++) {
		seg = rx_buffer(&self->rx, self->buffers, i, BUFFER);
		self->at[vring_add(&self->rx, &seg, 1)] = self->buffers + i * BUFFER;
	}
	vring_kick(&self->rx);
}

FIXTURE_TEARDOWN(net)
{
	vhost_close(&self->vhost);
	vring_teardown(&self->rx);
	vring_teardown(&self->tx);
	vring_teardown(&self->ctrl);
	EXPECT_EQ(0, device_del(NAME));
	EXPECT_EQ(self->pinned, pages_pinned());
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

/* Send a frame of @len bytes behind its header. Return: 0 when it was taken. */
static int transmit(struct vring_queue *tx, uint8_t *frame, const uint8_t *to, uint32_t len)
{
	struct vring_seg segs[2] = {
		{ frame, HDR, false },
		{ frame + HDR, len, false },
	};
	uint32_t i;

	memset(frame, 0, HDR);
	for (i = 0; i < len; i++)
		frame[HDR + i] = (i * 7 + len) & 0xff;
	memcpy(frame + HDR, to, len < 6 ? len : 6);
	if (vring_add(tx, segs, 2) < 0)
		return -ENOSPC;
	vring_kick(tx);
	return vring_wait(tx, NULL, 3000) < 0 ? -ETIMEDOUT : 0;
}

struct counters {
	char names[8][32];
	uint64_t values[8];
	int count;
};

static void keep(const struct nlattr **attrs, const struct nlmsghdr *msg, void *data)
{
	struct counters *counters = data;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, msg, 4) {
		if (mnl_attr_get_type(attr) == VDPA_ATTR_DEV_VENDOR_ATTR_NAME)
			snprintf(counters->names[counters->count], 32, "%s",
				 mnl_attr_get_str(attr));
		if (mnl_attr_get_type(attr) == VDPA_ATTR_DEV_VENDOR_ATTR_VALUE)
			counters->values[counters->count++] = mnl_attr_get_u64(attr);
	}
}

/* A counter of a queue, by name, or -1. */
static long counter(int queue, const char *name)
{
	struct counters counters = {};
	struct nl nl;
	long value = -1;
	int i;

	if (!nl_open(&nl))
		return -1;
	nl_start(&nl, VDPA_CMD_DEV_VSTATS_GET, false);
	mnl_attr_put_strz(nl.request, VDPA_ATTR_DEV_NAME, NAME);
	mnl_attr_put_u32(nl.request, VDPA_ATTR_DEV_QUEUE_INDEX, queue);
	nl_send(&nl, keep, &counters);
	nl_close(&nl);
	for (i = 0; i < counters.count; i++)
		if (!strcmp(counters.names[i], name))
			value = counters.values[i];
	return value;
}

TEST_F(net, frames_come_back)
{
	static const uint32_t lengths[] = { 14, 60, 61, 1000, 1514, BUFFER - HDR };
	unsigned int i, done = 0;
	uint32_t len;
	int head;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		ASSERT_EQ(0, transmit(&self->tx, self->frame, own, lengths[i]));
		head = vring_wait(&self->rx, &len, 3000);
		ASSERT_LE(0, head);
		EXPECT_EQ(HDR + lengths[i], len);
		EXPECT_EQ(0, memcmp(self->at[head] + HDR, self->frame + HDR, lengths[i]));
		/* num_buffers of the modern header */
		EXPECT_EQ(1, self->at[head][10] | self->at[head][11] << 8);
		done += lengths[i];
	}
	EXPECT_EQ(i, counter(1, "tx packets"));
	EXPECT_EQ(done, counter(1, "tx bytes"));
	EXPECT_EQ(i, counter(0, "rx packets"));
	EXPECT_EQ(done, counter(0, "rx bytes"));
}

/* Row 33 of the known defects. */
TEST_F(net, filter)
{
	ASSERT_EQ(0, transmit(&self->tx, self->frame, broadcast, 60));
	EXPECT_LE(0, vring_wait(&self->rx, NULL, 3000));
	ASSERT_EQ(0, transmit(&self->tx, self->frame, multicast, 60));
	EXPECT_LE(0, vring_wait(&self->rx, NULL, 3000));
	/* differs behind a zero byte */
	ASSERT_EQ(0, transmit(&self->tx, self->frame, other, 60));
	EXPECT_EQ(-1, vring_wait(&self->rx, NULL, 100));
	EXPECT_EQ(1, counter(0, "rx drops"));
}

TEST_F(net, too_short_and_too_long)
{
	ASSERT_EQ(0, transmit(&self->tx, self->frame, own, 13));
	ASSERT_EQ(0, transmit(&self->tx, self->frame, own, 1));
	EXPECT_EQ(-1, vring_wait(&self->rx, NULL, 100));
	EXPECT_EQ(2, counter(1, "tx errors"));

	ASSERT_EQ(0, transmit(&self->tx, self->frame, own, BUFFER - HDR + 1));
	ASSERT_EQ(0, transmit(&self->tx, self->frame, own, 65535));
	EXPECT_EQ(-1, vring_wait(&self->rx, NULL, 100));
	EXPECT_EQ(2, counter(0, "rx errors"));
	/* the buffer that was too small serves the next frame */
	ASSERT_EQ(0, transmit(&self->tx, self->frame, own, 60));
	EXPECT_LE(0, vring_wait(&self->rx, NULL, 3000));
}

TEST_F(net, no_buffer_left)
{
	int i, got = 0;

	for (i = 0; i < BUFFERS + 5; i++)
		ASSERT_EQ(0, transmit(&self->tx, self->frame, own, 60));
	while (vring_wait(&self->rx, NULL, 100) >= 0)
		got++;
	EXPECT_EQ(BUFFERS, got);
	EXPECT_EQ(5, counter(0, "rx overruns"));
}

/* A control command with @len bytes of data. Return: its acknowledgment. */
static int control(struct vring_queue *ctrl, uint8_t *command, uint8_t class, uint8_t cmd,
		   const void *data, uint32_t len)
{
	struct vring_seg segs[3] = {
		{ command, 2, false },
		{ command + 16, len, false },
		{ command + 63, 1, true },
	};

	command[0] = class;
	command[1] = cmd;
	command[63] = 0xff;
	memcpy(command + 16, data, len);
	if (vring_add(ctrl, segs, 3) < 0)
		return -ENOSPC;
	vring_kick(ctrl);
	return vring_wait(ctrl, NULL, 3000) < 0 ? -ETIMEDOUT : command[63];
}

TEST_F(net, control_mac)
{
	struct {
		struct vhost_vdpa_config head;
		uint8_t mac[6];
	} config = { .head.off = 0, .head.len = 6 };

	EXPECT_EQ(VIRTIO_NET_OK, control(&self->ctrl, self->command, VIRTIO_NET_CTRL_MAC,
					 VIRTIO_NET_CTRL_MAC_ADDR_SET, other, 6));
	ASSERT_EQ(0, transmit(&self->tx, self->frame, other, 60));
	EXPECT_LE(0, vring_wait(&self->rx, NULL, 3000));
	ASSERT_EQ(0, transmit(&self->tx, self->frame, own, 60));
	EXPECT_EQ(-1, vring_wait(&self->rx, NULL, 100));
	ASSERT_EQ(0, vhost_ioctl(&self->vhost, VHOST_VDPA_GET_CONFIG, &config));
	EXPECT_EQ(0, memcmp(other, config.mac, 6));

	/* too short, a group's address, and commands that do not exist */
	EXPECT_EQ(VIRTIO_NET_ERR, control(&self->ctrl, self->command, VIRTIO_NET_CTRL_MAC,
					  VIRTIO_NET_CTRL_MAC_ADDR_SET, own, 5));
	EXPECT_EQ(VIRTIO_NET_ERR, control(&self->ctrl, self->command, VIRTIO_NET_CTRL_MAC,
					  VIRTIO_NET_CTRL_MAC_ADDR_SET, multicast, 6));
	EXPECT_EQ(VIRTIO_NET_ERR, control(&self->ctrl, self->command, VIRTIO_NET_CTRL_MAC,
					  VIRTIO_NET_CTRL_MAC_TABLE_SET, own, 6));
	EXPECT_EQ(VIRTIO_NET_ERR, control(&self->ctrl, self->command, 99, 0, own, 6));
	/* an error is not carried over to the next */
	EXPECT_EQ(VIRTIO_NET_OK, control(&self->ctrl, self->command, VIRTIO_NET_CTRL_MAC,
					 VIRTIO_NET_CTRL_MAC_ADDR_SET, own, 6));
	EXPECT_EQ(6, counter(2, "cvq requests"));
	EXPECT_EQ(2, counter(2, "cvq successes"));
	EXPECT_EQ(4, counter(2, "cvq errors"));
}

/* Suspended, a device does nothing; resumed, it does what was asked meanwhile. */
TEST_F(net, suspend_and_resume)
{
	struct vhost_vring_state state = { .index = 1 };
	struct vring_seg seg = { self->frame, HDR + 60, false };

	ASSERT_EQ(0, transmit(&self->tx, self->frame, own, 60));
	ASSERT_LE(0, vring_wait(&self->rx, NULL, 3000));
	ASSERT_EQ(0, vhost_ioctl(&self->vhost, VHOST_VDPA_SUSPEND, NULL));
	ASSERT_EQ(0, vhost_ioctl(&self->vhost, VHOST_GET_VRING_BASE, &state));
	EXPECT_EQ(1, state.num);
	ASSERT_LE(0, vring_add(&self->tx, &seg, 1));
	vring_kick(&self->tx);
	EXPECT_EQ(-1, vring_wait(&self->tx, NULL, 100));
	ASSERT_EQ(0, vhost_ioctl(&self->vhost, VHOST_VDPA_RESUME, NULL));
	EXPECT_LE(0, vring_wait(&self->tx, NULL, 3000));
	EXPECT_LE(0, vring_wait(&self->rx, NULL, 3000));
}

TEST_HARNESS_MAIN
