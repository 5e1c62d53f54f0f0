// SPDX-License-Identifier: GPL-2.0-only
/* The control queue of the network simulator: which frames a device takes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/vdpa.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include "device.h"
#include "net.h"
#include "kselftest_harness.h"

#define NAME "t-ctrl"
#define BIT(n) (1ull << (n))
#define TABLE_MAX 64	/* addresses of a kind that the device keeps */

static const uint8_t own[6] = { 0x52, 0x54, 0, 0, 0, 1 };
static const uint8_t uni[2][6] = { { 0x52, 0x54, 0, 0, 1, 0 }, { 0x52, 0x54, 0, 0, 1, 1 } };
static const uint8_t multi[2][6] = { { 1, 0, 0x5e, 0, 0, 1 }, { 1, 0, 0x5e, 0, 0, 2 } };
static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };

FIXTURE(ctrl) {
	struct net net;
};

FIXTURE_SETUP(ctrl)
{
	if (device_exists(NAME))
		device_del(NAME);
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	ASSERT_EQ(0, device_add_net(NAME, own, 0));
	ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
	ASSERT_EQ(0, net_start(&self->net, NAME, ~BIT(VIRTIO_NET_F_CTRL_VLAN)));
}

FIXTURE_TEARDOWN(ctrl)
{
	net_stop(&self->net);
	EXPECT_EQ(0, device_del(NAME));
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

/* Give the driver another life with these features. */
static int again(struct net *net, uint64_t features)
{
	net_stop(net);
	return net_start(net, NAME, features);
}

static int mode(struct net *net, uint8_t cmd, uint8_t on)
{
	return net_control(net, VIRTIO_NET_CTRL_RX, cmd, &on, 1);
}

/* Is a frame to @to taken? */
static bool taken(struct net *net, const uint8_t *to)
{
	uint32_t len;

	return !net_transmit(net, to, 60) && net_receive(net, &len, 100);
}

/* Both kinds, of which either may be none. */
static int table(struct net *net, const void *unis, uint32_t n_uni, const void *multis,
		 uint32_t n_multi)
{
	uint8_t data[2000];

	memcpy(data, &n_uni, 4);
	memcpy(data + 4, unis, n_uni * 6);
	memcpy(data + 4 + n_uni * 6, &n_multi, 4);
	memcpy(data + 8 + n_uni * 6, multis, n_multi * 6);
	return net_control(net, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, data,
			   8 + (n_uni + n_multi) * 6);
}

struct expected {
	uint8_t cmd;
	bool own, other, multi, broadcast;
};

static const struct expected modes[] = {
	{ VIRTIO_NET_CTRL_RX_PROMISC, true, true, true, true },
	{ VIRTIO_NET_CTRL_RX_ALLMULTI, true, false, true, true },
	{ VIRTIO_NET_CTRL_RX_ALLUNI, true, true, false, true },
	{ VIRTIO_NET_CTRL_RX_NOMULTI, true, false, false, true },
	{ VIRTIO_NET_CTRL_RX_NOUNI, false, false, false, true },
	{ VIRTIO_NET_CTRL_RX_NOBCAST, true, false, false, false },
};

/* With an empty table, each mode by itself; switched off it leaves nothing behind. */
TEST_F(ctrl, modes)
{
	struct net *net = &self->net;
	unsigned int i;

	ASSERT_EQ(VIRTIO_NET_OK, table(net, NULL, 0, NULL, 0));
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		ASSERT_EQ(VIRTIO_NET_OK, mode(net, modes[i].cmd, 1));
		EXPECT_EQ(modes[i].own, taken(net, own));
		EXPECT_EQ(modes[i].other, taken(net, uni[0]));
		EXPECT_EQ(modes[i].multi, taken(net, multi[0]));
		EXPECT_EQ(modes[i].broadcast, taken(net, broadcast));
		ASSERT_EQ(VIRTIO_NET_OK, mode(net, modes[i].cmd, 0));
	}
	EXPECT_TRUE(taken(net, own));
	EXPECT_FALSE(taken(net, uni[0]));
	EXPECT_FALSE(taken(net, multi[0]));
	EXPECT_TRUE(taken(net, broadcast));
	/* neither on nor off, nothing, a mode that there is not */
	EXPECT_EQ(VIRTIO_NET_ERR, mode(net, VIRTIO_NET_CTRL_RX_PROMISC, 2));
	EXPECT_EQ(VIRTIO_NET_ERR, net_control(net, VIRTIO_NET_CTRL_RX,
					      VIRTIO_NET_CTRL_RX_PROMISC, NULL, 0));
	EXPECT_EQ(VIRTIO_NET_ERR, mode(net, 6, 1));
	EXPECT_FALSE(taken(net, uni[0]));
}

TEST_F(ctrl, mac_table)
{
	struct net *net = &self->net;
	uint8_t many[TABLE_MAX + 1][6], short_of[20] = { 2 };
	int i;

	/* before it has one, a device takes every group */
	EXPECT_TRUE(taken(net, multi[1]));
	ASSERT_EQ(VIRTIO_NET_OK, table(net, uni, 2, multi, 1));
	EXPECT_TRUE(taken(net, own));
	EXPECT_TRUE(taken(net, uni[0]));
	EXPECT_TRUE(taken(net, uni[1]));
	EXPECT_TRUE(taken(net, multi[0]));
	EXPECT_FALSE(taken(net, multi[1]));
	EXPECT_TRUE(taken(net, broadcast));
	/* a table replaces the one before */
	ASSERT_EQ(VIRTIO_NET_OK, table(net, uni + 1, 1, multi, 2));
	EXPECT_FALSE(taken(net, uni[0]));
	EXPECT_TRUE(taken(net, uni[1]));
	EXPECT_TRUE(taken(net, multi[1]));

	/* as many as are kept; of one more, all are taken */
	for (i = 0; i <= TABLE_MAX; i++)
		memcpy(many[i], (uint8_t [6]) { 0x52, 0x54, 0, 0, 2, i }, 6);
	ASSERT_EQ(VIRTIO_NET_OK, table(net, many, TABLE_MAX, multi, 1));
	EXPECT_TRUE(taken(net, many[TABLE_MAX - 1]));
	EXPECT_FALSE(taken(net, many[TABLE_MAX]));
	EXPECT_FALSE(taken(net, multi[1]));
	ASSERT_EQ(VIRTIO_NET_OK, table(net, many, TABLE_MAX + 1, multi, 1));
	EXPECT_TRUE(taken(net, uni[0]));
	EXPECT_FALSE(taken(net, multi[1]));

	/* more than is there: the table stays as it is */
	ASSERT_EQ(VIRTIO_NET_OK, table(net, uni, 1, multi, 1));
	EXPECT_EQ(VIRTIO_NET_ERR, net_control(net, VIRTIO_NET_CTRL_MAC,
					      VIRTIO_NET_CTRL_MAC_TABLE_SET, short_of, 12));
	memset(short_of, 0xff, 4);
	EXPECT_EQ(VIRTIO_NET_ERR, net_control(net, VIRTIO_NET_CTRL_MAC,
					      VIRTIO_NET_CTRL_MAC_TABLE_SET, short_of, 20));
	EXPECT_TRUE(taken(net, uni[0]));
	EXPECT_FALSE(taken(net, uni[1]));
}

/* A frame to @own with a VLAN tag. */
static bool tagged(struct net *net, uint16_t tci)
{
	uint8_t *frame = net->frame + NET_HDR;
	uint32_t len;

	net_frame(net, own, 64);
	frame[12] = ETH_P_8021Q >> 8;
	frame[13] = ETH_P_8021Q & 255;
	frame[14] = tci >> 8;
	frame[15] = tci & 255;
	return !net_send(net, 64) && net_receive(net, &len, 100);
}

static int vlan(struct net *net, uint8_t cmd, uint16_t id)
{
	return net_control(net, VIRTIO_NET_CTRL_VLAN, cmd, &id, 2);
}

TEST_F(ctrl, vlans)
{
	struct net *net = &self->net;

	/* without the feature: no filter, and none can be set */
	EXPECT_TRUE(tagged(net, 5));
	EXPECT_EQ(VIRTIO_NET_ERR, vlan(net, VIRTIO_NET_CTRL_VLAN_ADD, 5));

	ASSERT_EQ(0, again(net, ~0ull));
	EXPECT_TRUE(taken(net, own));
	EXPECT_FALSE(tagged(net, 5));
	ASSERT_EQ(VIRTIO_NET_OK, vlan(net, VIRTIO_NET_CTRL_VLAN_ADD, 5));
	ASSERT_EQ(VIRTIO_NET_OK, vlan(net, VIRTIO_NET_CTRL_VLAN_ADD, 4095));
	EXPECT_TRUE(tagged(net, 5));
	/* priority and drop eligibility are not part of the number */
	EXPECT_TRUE(tagged(net, 0xf005));
	EXPECT_TRUE(tagged(net, 4095));
	EXPECT_FALSE(tagged(net, 6));
	ASSERT_EQ(VIRTIO_NET_OK, vlan(net, VIRTIO_NET_CTRL_VLAN_DEL, 5));
	EXPECT_FALSE(tagged(net, 5));
	EXPECT_EQ(VIRTIO_NET_ERR, vlan(net, VIRTIO_NET_CTRL_VLAN_ADD, 4096));
	EXPECT_EQ(VIRTIO_NET_ERR, vlan(net, VIRTIO_NET_CTRL_VLAN_ADD, 0xffff));
	/* another life begins with none */
	ASSERT_EQ(0, again(net, ~0ull));
	EXPECT_FALSE(tagged(net, 4095));
}

/* What a driver said is forgotten when it resets the device, the address included? No. */
TEST_F(ctrl, reset)
{
	struct net *net = &self->net;

	ASSERT_EQ(VIRTIO_NET_OK, mode(net, VIRTIO_NET_CTRL_RX_PROMISC, 1));
	ASSERT_EQ(VIRTIO_NET_OK, table(net, uni, 2, NULL, 0));
	EXPECT_TRUE(taken(net, multi[0]));
	ASSERT_EQ(0, again(net, ~BIT(VIRTIO_NET_F_CTRL_VLAN)));
	EXPECT_FALSE(taken(net, uni[0]));
	EXPECT_TRUE(taken(net, multi[0]));
	EXPECT_TRUE(taken(net, own));
}

/* Commands of features that were not negotiated do not exist. */
TEST_F(ctrl, not_negotiated)
{
	uint64_t rx = BIT(VIRTIO_NET_F_CTRL_RX), extra = BIT(VIRTIO_NET_F_CTRL_RX_EXTRA);
	struct net *net = &self->net;
	uint8_t one = 1;

	ASSERT_EQ(0, again(net, ~(extra | BIT(VIRTIO_NET_F_CTRL_MAC_ADDR) |
				  BIT(VIRTIO_NET_F_GUEST_ANNOUNCE))));
	EXPECT_EQ(VIRTIO_NET_OK, mode(net, VIRTIO_NET_CTRL_RX_PROMISC, 1));
	EXPECT_EQ(VIRTIO_NET_ERR, mode(net, VIRTIO_NET_CTRL_RX_ALLUNI, 1));
	EXPECT_EQ(VIRTIO_NET_ERR, net_control(net, VIRTIO_NET_CTRL_MAC,
					      VIRTIO_NET_CTRL_MAC_ADDR_SET, uni[0], 6));
	EXPECT_EQ(VIRTIO_NET_ERR, net_control(net, VIRTIO_NET_CTRL_ANNOUNCE,
					      VIRTIO_NET_CTRL_ANNOUNCE_ACK, NULL, 0));
	EXPECT_EQ(VIRTIO_NET_ERR, net_control(net, VIRTIO_NET_CTRL_MQ,
					      VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &one, 2));
	ASSERT_EQ(0, again(net, ~(rx | extra)));
	EXPECT_EQ(VIRTIO_NET_ERR, mode(net, VIRTIO_NET_CTRL_RX_PROMISC, 1));
	EXPECT_EQ(VIRTIO_NET_ERR, table(net, NULL, 0, NULL, 0));
	EXPECT_FALSE(taken(net, uni[0]));
}

/* The control queue is a group of its own, and can be in an address space of its own. */
TEST_F(ctrl, own_address_space)
{
	struct vhost_vring_state state = { .index = 0 };
	struct vhost *vhost = &self->net.vhost;
	uint32_t groups, spaces;

	ASSERT_EQ(0, vhost_ioctl(vhost, VHOST_VDPA_GET_GROUP_NUM, &groups));
	ASSERT_EQ(0, vhost_ioctl(vhost, VHOST_VDPA_GET_AS_NUM, &spaces));
	EXPECT_EQ(3, groups);
	EXPECT_EQ(2, spaces);
	for (state.index = 0; state.index < 3; state.index++) {
		unsigned int index = state.index;

		ASSERT_EQ(0, vhost_ioctl(vhost, VHOST_VDPA_GET_VRING_GROUP, &state));
		EXPECT_EQ(index == 2, state.num);
		state.index = index;
	}
}

TEST_HARNESS_MAIN
