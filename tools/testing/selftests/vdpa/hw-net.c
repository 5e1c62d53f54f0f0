// SPDX-License-Identifier: GPL-2.0-only
/* A network card of the PCI bus, as a vDPA device of this process. See hw.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include "device.h"
#include "hw.h"
#include "net.h"
#include "pages.h"
#include "kselftest_harness.h"

#define PAGE 4096u
#define BIT(n) (1ull << (n))

static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };
static const uint8_t own_ip[4] = { 10, 0, 2, 15 };
static const uint8_t peer_ip[4] = { 10, 0, 2, 2 };

FIXTURE(net) {
	struct net net;
	uint8_t mac[6];
	long pinned;
};

FIXTURE_VARIANT(net) {
	uint64_t without;
};

#define MQ BIT(VIRTIO_NET_F_MQ)
#define RING (BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX))
#define PACKED BIT(VIRTIO_F_RING_PACKED)
#define GUEST (BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) | \
	       BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN) | \
	       BIT(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) | 3ull << 54)

FIXTURE_VARIANT_ADD(net, split) { .without = MQ | PACKED | RING | GUEST };
FIXTURE_VARIANT_ADD(net, split_all) { .without = MQ | PACKED | GUEST };
FIXTURE_VARIANT_ADD(net, packed) { .without = MQ | RING | GUEST };

FIXTURE_SETUP(net)
{
	struct {
		struct vhost_vdpa_config head;
		uint8_t mac[6];
	} config = { .head.len = 6 };

	if (device_exists(HW_NAME))
		device_del(HW_NAME);
	self->pinned = pages_pinned();
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	ASSERT_EQ(0, device_add(HW_NAME, hw_mgmt("HW_NET")));
	ASSERT_EQ(0, device_bind(HW_NAME, "vhost_vdpa"));
	ASSERT_EQ(0, net_start(&self->net, HW_NAME, ~variant->without));
	ASSERT_EQ(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
		  VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK,
		  vhost_get_status(&self->net.vhost));
	ASSERT_EQ(0, vhost_ioctl(&self->net.vhost, VHOST_VDPA_GET_CONFIG, &config));
	memcpy(self->mac, config.mac, 6);
}

FIXTURE_TEARDOWN(net)
{
	net_stop(&self->net);
	if (device_exists(HW_NAME))
		EXPECT_EQ(0, device_del(HW_NAME));
	EXPECT_EQ(self->pinned, pages_pinned());
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

static uint16_t checksum(const uint8_t *data, uint32_t len)
{
	uint32_t sum = 0, i;

	for (i = 0; i < len; i++)
		sum += data[i] << (i % 2 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum & 0xffff);
}

static uint8_t *ethernet(struct net *net, const uint8_t *to, const uint8_t *from, uint16_t type)
{
	uint8_t *frame = net->frame + NET_HDR;

	memset(net->frame, 0, NET_HDR + 1514);
	memcpy(frame, to, 6);
	memcpy(frame + 6, from, 6);
	frame[12] = type >> 8;
	frame[13] = type & 0xff;
	return frame + 14;
}

static int send_arp(struct net *net, const uint8_t *mac)
{
	static const uint8_t request[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };
	uint8_t *arp = ethernet(net, broadcast, mac, 0x0806);

	memcpy(arp, request, 8);
	memcpy(arp + 8, mac, 6);
	memcpy(arp + 14, own_ip, 4);
	memcpy(arp + 24, peer_ip, 4);
	return net_send(net, 60);
}

/* Whatever else the network has to say is passed over. */
static bool receive_arp(struct net *net, uint8_t *peer)
{
	static const uint8_t reply[8] = { 0, 1, 8, 0, 6, 4, 0, 2 };
	uint8_t *at;
	uint32_t len;

	while ((at = net_receive(net, &len, 20000))) {
		at += NET_HDR;
		if (at[12] == 8 && at[13] == 6 && !memcmp(at + 14, reply, 8) &&
		    !memcmp(at + 28, peer_ip, 4)) {
			memcpy(peer, at + 22, 6);
			return true;
		}
	}
	return false;
}

static int send_echo(struct net *net, const uint8_t *to, const uint8_t *mac, uint16_t seq,
		     uint32_t payload)
{
	uint8_t *ip = ethernet(net, to, mac, 0x0800), *icmp = ip + 20;
	uint16_t total = htons(20 + 8 + payload), sum;
	uint32_t i;

	ip[0] = 0x45;
	memcpy(ip + 2, &total, 2);
	ip[8] = 64;
	ip[9] = 1;
	memcpy(ip + 12, own_ip, 4);
	memcpy(ip + 16, peer_ip, 4);
	sum = checksum(ip, 20);
	memcpy(ip + 10, &sum, 2);

	icmp[0] = 8;
	icmp[4] = 0x12;
	icmp[6] = seq >> 8;
	icmp[7] = seq & 0xff;
	for (i = 0; i < payload; i++)
		icmp[8 + i] = i + seq;
	sum = checksum(icmp, 8 + payload);
	memcpy(icmp + 2, &sum, 2);
	return net_send(net, 14 + 20 + 8 + payload);
}

static bool receive_echo(struct net *net, uint16_t seq, uint32_t payload)
{
	uint8_t *at;
	uint32_t len, i;

	while ((at = net_receive(net, &len, 20000))) {
		at += NET_HDR;
		if (at[12] != 8 || at[13] != 0 || at[23] != 1 || at[34] != 0)
			continue;
		if (len < NET_HDR + 42 + payload || (at[40] << 8 | at[41]) != seq)
			return false;
		for (i = 0; i < payload; i++)
			if (at[42 + i] != (uint8_t)(i + seq))
				return false;
		return true;
	}
	return false;
}

TEST_F(net, arp_and_ping)
{
	uint8_t peer[6];
	int i;

	ASSERT_EQ(0, send_arp(&self->net, self->mac));
	ASSERT_TRUE(receive_arp(&self->net, peer));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, send_echo(&self->net, peer, self->mac, i, 56 + 100 * i));
		ASSERT_TRUE(receive_echo(&self->net, i, 56 + 100 * i));
	}
}

TEST_F(net, control_queue)
{
	uint8_t on = 1;

	if (!(self->net.vhost.features & BIT(VIRTIO_NET_F_CTRL_RX)))
		return;
	EXPECT_EQ(VIRTIO_NET_OK, net_control(&self->net, VIRTIO_NET_CTRL_RX,
					     VIRTIO_NET_CTRL_RX_PROMISC, &on, 1));
}

/* The position of a ring is not something that the function has a register for. */
TEST_F(net, no_ring_position)
{
	struct vhost_vring_state state = {};

	EXPECT_EQ(0, vhost_set_status(&self->net.vhost, 0));
	state.num = 5;
	EXPECT_EQ(-EOPNOTSUPP, vhost_ioctl(&self->net.vhost, VHOST_SET_VRING_BASE, &state));
}

/*
 * Section 2.4: after a reset, in the same session and with the same memory, it works as
 * before.
 */
TEST_F(net, again_after_reset)
{
	struct vhost *v = &self->net.vhost;
	uint8_t peer[6];
	int i;

	for (i = 0; i < 5; i++) {
		net_stop(&self->net);
		ASSERT_EQ(0, net_start(&self->net, HW_NAME, ~variant->without));
		ASSERT_EQ(0, send_arp(&self->net, self->mac));
		ASSERT_TRUE(receive_arp(&self->net, peer));
		ASSERT_EQ(0, vhost_set_status(v, 0));
		EXPECT_EQ(0, vhost_get_status(v));
	}
}

/* What is sent from memory that is in no map is not read, and the IOMMU says so. */
TEST_F(net, read_outside_of_the_map_faults)
{
	struct vring_seg seg = { .len = 60 };
	int log;

	log = hw_log_open();
	/* the library adds the difference to the session's IOVA */
	seg.at = self->net.vhost.memory + (HW_ELSEWHERE - VHOST_IOVA);
	ASSERT_LE(0, vring_add(&self->net.tx, &seg, 1));
	vring_kick(&self->net.tx);
	EXPECT_TRUE(hw_log_has_fault(log, HW_ELSEWHERE));
	close(log);
}

/*
 * A buffer outside of the session's memory is mapped with @perm, offered to the device, and
 * perhaps unmapped: frames that come do not get into it.
 */
static void write_faults(struct __test_metadata *_metadata, FIXTURE_DATA(net) *self,
			 uint8_t perm, bool unmap)
{
	struct vhost *v = &self->net.vhost;
	struct vring_seg seg = { .len = PAGE, .write = true };
	char *page;
	int log, i;

	log = hw_log_open();
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	memset(page, 0x5a, PAGE);
	ASSERT_EQ(0, vhost_message(v, VHOST_IOTLB_UPDATE, HW_ELSEWHERE, PAGE, (uintptr_t)page,
				   perm));
	seg.at = v->memory + (HW_ELSEWHERE - VHOST_IOVA);
	ASSERT_LE(0, vring_add(&self->net.rx, &seg, 1));
	vring_kick(&self->net.rx);
	if (unmap) {
		ASSERT_EQ(0, vhost_message(v, VHOST_IOTLB_INVALIDATE, HW_ELSEWHERE, PAGE, 0, 0));
	}

	/* the library's buffers are used up first */
	for (i = 0; i < NET_BUFFERS + 2; i++)
		if (send_arp(&self->net, self->mac))
			break;
	EXPECT_TRUE(hw_log_has_fault(log, HW_ELSEWHERE));
	for (i = 0; i < PAGE; i++)
		ASSERT_EQ(0x5a, page[i]);
	munmap(page, PAGE);
	close(log);
}

TEST_F(net, write_after_unmap_faults)
{
	write_faults(_metadata, self, VHOST_ACCESS_RW, true);
}

TEST_F(net, write_to_read_only_map_faults)
{
	write_faults(_metadata, self, VHOST_ACCESS_RO, false);
}

/* With buffers posted and frames on their way the device goes, by three ways. */
static void posted_and_gone(struct __test_metadata *_metadata, FIXTURE_DATA(net) *self,
			    int (*take)(const char *name))
{
	struct vhost *v = &self->net.vhost;
	static char before[VHOST_MEMORY];
	int i;

	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, send_arp(&self->net, self->mac));
	ASSERT_EQ(0, take(HW_NAME));
	EXPECT_EQ(self->pinned, pages_pinned());
	EXPECT_EQ(-ENODEV, vhost_get_status(v));
	memcpy(before, v->memory, VHOST_MEMORY);
	usleep(300000);
	EXPECT_EQ(0, memcmp(before, v->memory, VHOST_MEMORY));
}

TEST_F(net, nothing_is_reached_after_deletion)
{
	posted_and_gone(_metadata, self, device_del);
}

TEST_F(net, nothing_is_reached_after_unbinding)
{
	posted_and_gone(_metadata, self, device_unbind);
}

/* Of one queue the page that kicks it can be mapped, if the function has one for each. */
TEST_F(net, doorbell)
{
	volatile uint16_t *doorbell;
	struct vring_seg seg = { self->net.frame, NET_HDR + 60 };
	bool pages = getenv("HW_DOORBELLS");
	int i;

	doorbell = mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, self->net.vhost.fd, PAGE);
	if (!pages) {
		EXPECT_EQ(MAP_FAILED, (void *)doorbell);
		EXPECT_EQ(EOPNOTSUPP, errno);
		return;
	}
	ASSERT_NE(MAP_FAILED, (void *)doorbell);
	/* a device that has just begun, or has just worked, may look again by itself */
	for (i = 0; i < 20; i++) {
		ASSERT_LE(0, vring_add(&self->net.tx, &seg, 1));
		if (vring_wait(&self->net.tx, NULL, 500) < 0)
			break;
	}
	ASSERT_LT(i, 20);
	*doorbell = 1;
	EXPECT_LE(0, vring_wait(&self->net.tx, NULL, 20000));
	munmap((void *)doorbell, PAGE);
}

/*
 * The function is reset under the process, which is told: NEEDS_RESET and a configuration
 * interrupt. Then it starts over.
 */
TEST_F(net, function_level_reset)
{
	char path[128];
	uint8_t peer[6];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset",
		 strchr(hw_mgmt("HW_NET"), '/') + 1);
	ASSERT_EQ(0, send_arp(&self->net, self->mac));
	ASSERT_EQ(0, write_file(path, "1"));
	EXPECT_TRUE(vhost_get_status(&self->net.vhost) & VIRTIO_CONFIG_S_NEEDS_RESET);
	net_stop(&self->net);
	ASSERT_EQ(0, net_start(&self->net, HW_NAME, ~variant->without));
	EXPECT_FALSE(vhost_get_status(&self->net.vhost) & VIRTIO_CONFIG_S_NEEDS_RESET);
	ASSERT_EQ(0, send_arp(&self->net, self->mac));
	EXPECT_TRUE(receive_arp(&self->net, peer));
}

TEST_HARNESS_MAIN
