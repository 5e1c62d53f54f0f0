// SPDX-License-Identifier: GPL-2.0-only
/* The network simulator under a driver of our own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include "device.h"
#include "net.h"
#include "pages.h"
#include "kselftest_harness.h"

#define NAME "t-net"
#define BIT(n) (1ull << (n))

static const uint8_t own[6] = { 0x52, 0x54, 0, 0, 0, 1 };	/* with zeroes inside */
static const uint8_t other[6] = { 0x52, 0x54, 0, 0, 0, 2 };
static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };
static const uint8_t multicast[6] = { 0x33, 0x33, 0, 0, 0, 1 };

FIXTURE(net) {
	struct net net;
	long pinned;
};

FIXTURE_VARIANT(net) {
	uint64_t without;
};

#define RING (BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX))
#define PACKED BIT(VIRTIO_F_RING_PACKED)
#define MERGE BIT(VIRTIO_NET_F_MRG_RXBUF)
#define GUEST (BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) | \
	       BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN))

FIXTURE_VARIANT_ADD(net, plain) { .without = RING | PACKED | MERGE | GUEST };
FIXTURE_VARIANT_ADD(net, split) { .without = PACKED };
FIXTURE_VARIANT_ADD(net, packed) { .without = RING | MERGE | GUEST };
FIXTURE_VARIANT_ADD(net, all) { .without = 0 };

FIXTURE_SETUP(net)
{
	if (device_exists(NAME))
		device_del(NAME);
	self->pinned = pages_pinned();
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	ASSERT_EQ(0, device_add_net(NAME, own, 0));
	ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
	ASSERT_EQ(0, net_start(&self->net, NAME, ~variant->without));
}

FIXTURE_TEARDOWN(net)
{
	net_stop(&self->net);
	EXPECT_EQ(0, device_del(NAME));
	EXPECT_EQ(self->pinned, pages_pinned());
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

TEST_F(net, frames_come_back)
{
	static const uint32_t lengths[] = { 14, 60, 61, 1000, 1514, NET_BUFFER - NET_HDR };
	unsigned int i, done = 0;
	uint32_t len;
	int head;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		ASSERT_EQ(0, net_transmit(&self->net, own, lengths[i]));
		head = vring_wait(&self->net.rx, &len, 20000);
		ASSERT_LE(0, head);
		EXPECT_EQ(NET_HDR + lengths[i], len);
		EXPECT_EQ(0, memcmp(self->net.at[head] + NET_HDR, self->net.frame + NET_HDR, lengths[i]));
		/* num_buffers of the modern header */
		EXPECT_EQ(1, self->net.at[head][10] | self->net.at[head][11] << 8);
		done += lengths[i];
	}
	EXPECT_EQ(i, vstat(NAME, 1, "tx packets"));
	EXPECT_EQ(done, vstat(NAME, 1, "tx bytes"));
	EXPECT_EQ(i, vstat(NAME, 0, "rx packets"));
	EXPECT_EQ(done, vstat(NAME, 0, "rx bytes"));
}

/* Addresses are bytes, not strings, and frames for everybody pass. */
TEST_F(net, filter)
{
	ASSERT_EQ(0, net_transmit(&self->net, broadcast, 60));
	EXPECT_LE(0, vring_wait(&self->net.rx, NULL, 20000));
	ASSERT_EQ(0, net_transmit(&self->net, multicast, 60));
	EXPECT_LE(0, vring_wait(&self->net.rx, NULL, 20000));
	/* differs behind a zero byte */
	ASSERT_EQ(0, net_transmit(&self->net, other, 60));
	EXPECT_EQ(-1, vring_wait(&self->net.rx, NULL, 100));
	EXPECT_EQ(1, vstat(NAME, 0, "rx drops"));
}

TEST_F(net, too_short_and_too_long)
{
	ASSERT_EQ(0, net_transmit(&self->net, own, 13));
	ASSERT_EQ(0, net_transmit(&self->net, own, 1));
	EXPECT_EQ(-1, vring_wait(&self->net.rx, NULL, 100));
	EXPECT_EQ(2, vstat(NAME, 1, "tx errors"));

	/* all buffers together are not enough for this one */
	ASSERT_EQ(0, net_transmit(&self->net, own, 65536));
	EXPECT_EQ(-1, vring_wait(&self->net.rx, NULL, 100));
	if (!(self->net.vhost.features & MERGE)) {
		ASSERT_EQ(0, net_transmit(&self->net, own, NET_BUFFER - NET_HDR + 1));
		EXPECT_EQ(-1, vring_wait(&self->net.rx, NULL, 100));
		EXPECT_EQ(2, vstat(NAME, 0, "rx errors"));
	} else {
		EXPECT_EQ(1, vstat(NAME, 0, "rx overruns"));
	}
	/* the buffers that were too small serve the next frame */
	ASSERT_EQ(0, net_transmit(&self->net, own, 60));
	EXPECT_LE(0, vring_wait(&self->net.rx, NULL, 20000));
}

/* A frame over several buffers, as many as its header says, every byte in its place. */
TEST_F(net, merged)
{
	static const uint32_t lengths[] = {
		NET_BUFFER - NET_HDR + 1, 2 * NET_BUFFER - NET_HDR, 5000, 16000,
	};
	unsigned int i, want, got, off;
	uint32_t len, first;
	uint8_t *at;

	if (!(self->net.vhost.features & MERGE))
		return;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		ASSERT_EQ(0, net_transmit(&self->net, own, lengths[i]));
		want = (lengths[i] + NET_HDR + NET_BUFFER - 1) / NET_BUFFER;
		for (got = 0, off = 0; got < want; got++, off += len - first) {
			at = net_receive(&self->net, &len, 20000);
			ASSERT_NE(NULL, at);
			first = got ? 0 : NET_HDR;
			if (!got) {
				EXPECT_EQ(want, at[10] | at[11] << 8);
			}
			EXPECT_EQ(0, memcmp(at + first, self->net.frame + NET_HDR + off,
					    len - first));
		}
		EXPECT_EQ(lengths[i], off);
	}
	EXPECT_EQ(-1, vring_wait(&self->net.rx, NULL, 100));
}

/*
 * A frame whose checksum is missing: passed on as it is, or made complete for a receiver
 * that did not agree to that.
 */
TEST_F(net, checksum)
{
	struct virtio_net_hdr *hdr = (void *)self->net.frame;
	unsigned int len, i;
	uint32_t got, sum;
	uint8_t *at;

	for (len = 61; len < 1500; len += 377) {
		net_frame(&self->net, own, len);
		hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr->csum_start = 34;
		hdr->csum_offset = 6;
		ASSERT_EQ(0, net_send(&self->net, len));
		at = net_receive(&self->net, &got, 20000);
		ASSERT_NE(NULL, at);
		EXPECT_EQ(NET_HDR + len, got);
		if (self->net.vhost.features & BIT(VIRTIO_NET_F_GUEST_CSUM)) {
			EXPECT_EQ(0, memcmp(at, hdr, 10));
			EXPECT_EQ(0, memcmp(at + NET_HDR, self->net.frame + NET_HDR, len));
			continue;
		}
		EXPECT_EQ(0, at[0]);
		/* the sum from there on is what the field said before, complemented */
		for (i = 34, sum = 0; i < len; i++)
			if (i != 40 && i != 41)
				sum += at[NET_HDR + i] << (i % 2 ? 0 : 8);
		sum += self->net.frame[NET_HDR + 40] << 8 | self->net.frame[NET_HDR + 41];
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		EXPECT_EQ(~sum & 0xffff, at[NET_HDR + 40] << 8 | at[NET_HDR + 41]);
		EXPECT_EQ(0, memcmp(at + NET_HDR + 42, self->net.frame + NET_HDR + 42,
				    len - 42));
	}
	/* a checksum that is not in the frame */
	net_frame(&self->net, own, 60);
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = 50;
	hdr->csum_offset = 9;
	ASSERT_EQ(0, net_send(&self->net, 60));
	if (!(self->net.vhost.features & BIT(VIRTIO_NET_F_GUEST_CSUM))) {
		EXPECT_EQ(-1, vring_wait(&self->net.rx, NULL, 100));
		EXPECT_EQ(1, vstat(NAME, 0, "rx errors"));
	}
}

/* A large frame to be cut is for a receiver that can do that. */
TEST_F(net, segmentation)
{
	struct virtio_net_hdr *hdr = (void *)self->net.frame;
	uint32_t got;
	uint8_t *at;

	net_frame(&self->net, own, 1000);
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = 34;
	hdr->csum_offset = 16;
	hdr->gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	hdr->gso_size = 400;
	hdr->hdr_len = 54;
	ASSERT_EQ(0, net_send(&self->net, 1000));
	at = net_receive(&self->net, &got, 100);
	if (self->net.vhost.features & BIT(VIRTIO_NET_F_GUEST_TSO4)) {
		ASSERT_NE(NULL, at);
		EXPECT_EQ(0, memcmp(at, hdr, 10));
	} else {
		EXPECT_EQ(NULL, at);
		EXPECT_EQ(1, vstat(NAME, 0, "rx errors"));
	}
	/* a kind that nobody negotiated */
	hdr->gso_type = VIRTIO_NET_HDR_GSO_UDP;
	ASSERT_EQ(0, net_send(&self->net, 1000));
	EXPECT_EQ(NULL, net_receive(&self->net, &got, 100));
}

TEST_F(net, no_buffer_left)
{
	int i, got = 0;

	for (i = 0; i < NET_BUFFERS + 5; i++)
		ASSERT_EQ(0, net_transmit(&self->net, own, 60));
	while (vring_wait(&self->net.rx, NULL, 100) >= 0)
		got++;
	EXPECT_EQ(NET_BUFFERS, got);
	EXPECT_EQ(5, vstat(NAME, 0, "rx overruns"));
}

TEST_F(net, control_mac)
{
	struct {
		struct vhost_vdpa_config head;
		uint8_t mac[6];
	} config = { .head.off = 0, .head.len = 6 };

	EXPECT_EQ(VIRTIO_NET_OK, net_control(&self->net, VIRTIO_NET_CTRL_MAC,
					 VIRTIO_NET_CTRL_MAC_ADDR_SET, other, 6));
	ASSERT_EQ(0, net_transmit(&self->net, other, 60));
	EXPECT_LE(0, vring_wait(&self->net.rx, NULL, 20000));
	ASSERT_EQ(0, net_transmit(&self->net, own, 60));
	EXPECT_EQ(-1, vring_wait(&self->net.rx, NULL, 100));
	ASSERT_EQ(0, vhost_ioctl(&self->net.vhost, VHOST_VDPA_GET_CONFIG, &config));
	EXPECT_EQ(0, memcmp(other, config.mac, 6));

	/* too short, a group's address, and commands that do not exist */
	EXPECT_EQ(VIRTIO_NET_ERR, net_control(&self->net, VIRTIO_NET_CTRL_MAC,
					  VIRTIO_NET_CTRL_MAC_ADDR_SET, own, 5));
	EXPECT_EQ(VIRTIO_NET_ERR, net_control(&self->net, VIRTIO_NET_CTRL_MAC,
					  VIRTIO_NET_CTRL_MAC_ADDR_SET, multicast, 6));
	EXPECT_EQ(VIRTIO_NET_ERR, net_control(&self->net, VIRTIO_NET_CTRL_MAC,
					  VIRTIO_NET_CTRL_MAC_TABLE_SET, own, 6));
	EXPECT_EQ(VIRTIO_NET_ERR, net_control(&self->net, 99, 0, own, 6));
	/* an error is not carried over to the next */
	EXPECT_EQ(VIRTIO_NET_OK, net_control(&self->net, VIRTIO_NET_CTRL_MAC,
					 VIRTIO_NET_CTRL_MAC_ADDR_SET, own, 6));
	EXPECT_EQ(6, vstat(NAME, 2, "cvq requests"));
	EXPECT_EQ(2, vstat(NAME, 2, "cvq successes"));
	EXPECT_EQ(4, vstat(NAME, 2, "cvq errors"));
}

/* Suspended, a device does nothing; resumed, it does what was asked meanwhile. */
TEST_F(net, suspend_and_resume)
{
	struct vhost_vring_state state = { .index = 1 };
	struct vring_seg seg = { self->net.frame, NET_HDR + 60, false };

	ASSERT_EQ(0, net_transmit(&self->net, own, 60));
	ASSERT_LE(0, vring_wait(&self->net.rx, NULL, 20000));
	ASSERT_EQ(0, vhost_ioctl(&self->net.vhost, VHOST_VDPA_SUSPEND, NULL));
	ASSERT_EQ(0, vhost_ioctl(&self->net.vhost, VHOST_GET_VRING_BASE, &state));
	/* a packed ring counts descriptors; both halves are at the same place */
	EXPECT_EQ(self->net.tx.packed ?
		  (0x8000 | (self->net.tx.indirect ? 1 : 2)) * 0x10001u : 1, state.num);
	ASSERT_LE(0, vring_add(&self->net.tx, &seg, 1));
	vring_kick(&self->net.tx);
	EXPECT_EQ(-1, vring_wait(&self->net.tx, NULL, 100));
	ASSERT_EQ(0, vhost_ioctl(&self->net.vhost, VHOST_VDPA_RESUME, NULL));
	EXPECT_LE(0, vring_wait(&self->net.tx, NULL, 20000));
	EXPECT_LE(0, vring_wait(&self->net.rx, NULL, 20000));
}

TEST_HARNESS_MAIN
