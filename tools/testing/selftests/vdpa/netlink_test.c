// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "vdpa": every command, and what it refuses.
 *
 * A refusal is right when it has the expected errno, a text or an attribute that says
 * what was wrong, and when nothing was left behind.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include "device.h"
#include "nl.h"
#include "kselftest_harness.h"

#define NET "vdpasim_net"
#define BLK "vdpasim_blk"
#define BIT(n) (1ull << (n))
#define BASE_FEATURES (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM))

static const uint8_t mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static void start_new(struct nl *nl, const char *name, const char *mgmtdev)
{
	nl_start(nl, VDPA_CMD_DEV_NEW, false);
	if (mgmtdev)
		mnl_attr_put_strz(nl->request, VDPA_ATTR_MGMTDEV_DEV_NAME, mgmtdev);
	if (name)
		mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_NAME, name);
}

static void start_dev(struct nl *nl, uint8_t cmd, const char *name)
{
	nl_start(nl, cmd, false);
	if (name)
		mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_NAME, name);
}

/* What an answer said, copied out of it. */
struct said {
	int messages;
	uint8_t cmd;
	bool has[256];
	uint64_t number[256];
	char string[256][64];
	char names[16][32];
	int n_names;
};

static void keep(const struct nlattr **attrs, const struct nlmsghdr *msg, void *data)
{
	struct said *said = data;
	const struct nlattr *attr;
	int i, len;

	said->messages++;
	said->cmd = *(uint8_t *)mnl_nlmsg_get_payload(msg);
	for (i = 0; i < 256; i++) {
		if (!attrs[i])
			continue;
		said->has[i] = true;
		len = mnl_attr_get_payload_len(attrs[i]);
		memcpy(&said->number[i], mnl_attr_get_payload(attrs[i]), len < 8 ? len : 8);
		snprintf(said->string[i], 64, "%.*s", len,
			 (char *)mnl_attr_get_payload(attrs[i]));
	}
	mnl_attr_for_each(attr, msg, 4)
		if (mnl_attr_get_type(attr) == VDPA_ATTR_DEV_VENDOR_ATTR_NAME &&
		    said->n_names < 16)
			snprintf(said->names[said->n_names++], 32, "%s",
				 mnl_attr_get_str(attr));
}

FIXTURE(netlink) {
	struct nl nl;
	struct said said;
	int before;
};

FIXTURE_SETUP(netlink)
{
	memset(&self->said, 0, sizeof(self->said));
	ASSERT_TRUE(nl_open(&self->nl));
	/* devices of this test are for nobody: no bus driver in the way */
	ASSERT_EQ(0, write_file("/sys/bus/vdpa/drivers_autoprobe", "0"));
	self->before = nl_count(&self->nl, VDPA_CMD_DEV_GET);
	ASSERT_EQ(0, self->before);
}

FIXTURE_TEARDOWN(netlink)
{
	EXPECT_EQ(self->before, nl_count(&self->nl, VDPA_CMD_DEV_GET));
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
	nl_close(&self->nl);
}

/* The last request was refused with @err, and it was said why. */
#define EXPECT_REFUSED(err) do {					\
	EXPECT_EQ(-(err), nl_send(&self->nl, NULL, NULL));		\
	EXPECT_NE(0, strlen(self->nl.text)) {				\
		TH_LOG("no text for errno %d", err);			\
	}								\
} while (0)

TEST_F(netlink, mgmtdev_get)
{
	nl_start(&self->nl, VDPA_CMD_MGMTDEV_GET, false);
	mnl_attr_put_strz(self->nl.request, VDPA_ATTR_MGMTDEV_DEV_NAME, NET);
	ASSERT_EQ(0, nl_send(&self->nl, keep, &self->said));
	EXPECT_EQ(1, self->said.messages);
	EXPECT_EQ(VDPA_CMD_MGMTDEV_NEW, self->said.cmd);
	EXPECT_STREQ(NET, self->said.string[VDPA_ATTR_MGMTDEV_DEV_NAME]);
	EXPECT_FALSE(self->said.has[VDPA_ATTR_MGMTDEV_BUS_NAME]);
	EXPECT_EQ(BIT(VIRTIO_ID_NET), self->said.number[VDPA_ATTR_MGMTDEV_SUPPORTED_CLASSES]);
	EXPECT_TRUE(self->said.has[VDPA_ATTR_DEV_SUPPORTED_FEATURES]);
	EXPECT_LE(3, self->said.number[VDPA_ATTR_DEV_MGMTDEV_MAX_VQS]);
}

TEST_F(netlink, mgmtdev_dump)
{
	EXPECT_EQ(2, nl_count(&self->nl, VDPA_CMD_MGMTDEV_GET));
}

TEST_F(netlink, mgmtdev_get_refused)
{
	nl_start(&self->nl, VDPA_CMD_MGMTDEV_GET, false);
	EXPECT_REFUSED(EINVAL);

	nl_start(&self->nl, VDPA_CMD_MGMTDEV_GET, false);
	mnl_attr_put_strz(self->nl.request, VDPA_ATTR_MGMTDEV_DEV_NAME, "none");
	EXPECT_REFUSED(ENODEV);
	EXPECT_EQ(VDPA_ATTR_MGMTDEV_DEV_NAME, self->nl.bad_attr);

	/* a bus that the management device is not on */
	nl_start(&self->nl, VDPA_CMD_MGMTDEV_GET, false);
	mnl_attr_put_strz(self->nl.request, VDPA_ATTR_MGMTDEV_BUS_NAME, "pci");
	mnl_attr_put_strz(self->nl.request, VDPA_ATTR_MGMTDEV_DEV_NAME, NET);
	EXPECT_REFUSED(ENODEV);
}

TEST_F(netlink, net_device)
{
	struct said *said = &self->said;

	start_new(&self->nl, "t-net", NET);
	mnl_attr_put(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MACADDR, 6, mac);
	mnl_attr_put_u16(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MTU, 1234);
	ASSERT_EQ(0, nl_send(&self->nl, NULL, NULL));

	start_dev(&self->nl, VDPA_CMD_DEV_GET, "t-net");
	ASSERT_EQ(0, nl_send(&self->nl, keep, said));
	EXPECT_EQ(VDPA_CMD_DEV_NEW, said->cmd);
	EXPECT_STREQ("t-net", said->string[VDPA_ATTR_DEV_NAME]);
	EXPECT_STREQ(NET, said->string[VDPA_ATTR_MGMTDEV_DEV_NAME]);
	EXPECT_EQ(VIRTIO_ID_NET, said->number[VDPA_ATTR_DEV_ID]);
	EXPECT_EQ(0, said->number[VDPA_ATTR_DEV_VENDOR_ID]);
	EXPECT_EQ(3, said->number[VDPA_ATTR_DEV_MAX_VQS]);
	EXPECT_EQ(256, said->number[VDPA_ATTR_DEV_MAX_VQ_SIZE]);
	EXPECT_EQ(1, said->number[VDPA_ATTR_DEV_MIN_VQ_SIZE]);

	memset(said, 0, sizeof(*said));
	start_dev(&self->nl, VDPA_CMD_DEV_CONFIG_GET, "t-net");
	ASSERT_EQ(0, nl_send(&self->nl, keep, said));
	EXPECT_EQ(VDPA_CMD_DEV_CONFIG_GET, said->cmd);
	EXPECT_EQ(0, memcmp(mac, &said->number[VDPA_ATTR_DEV_NET_CFG_MACADDR], 6));
	EXPECT_EQ(1234, said->number[VDPA_ATTR_DEV_NET_CFG_MTU]);
	EXPECT_EQ(VIRTIO_NET_S_LINK_UP, said->number[VDPA_ATTR_DEV_NET_STATUS]);
	EXPECT_TRUE(said->has[VDPA_ATTR_DEV_FEATURES]);
	/* no driver yet, and no multiqueue */
	EXPECT_FALSE(said->has[VDPA_ATTR_DEV_NEGOTIATED_FEATURES]);
	EXPECT_FALSE(said->has[VDPA_ATTR_DEV_NET_CFG_MAX_VQP]);
	EXPECT_FALSE(said->has[VDPA_ATTR_DEV_BLK_CFG_CAPACITY]);

	EXPECT_EQ(0, device_del("t-net"));
}

TEST_F(netlink, net_device_with_pairs)
{
	start_new(&self->nl, "t-mq", NET);
	mnl_attr_put_u16(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 4);
	ASSERT_EQ(0, nl_send(&self->nl, NULL, NULL));
	start_dev(&self->nl, VDPA_CMD_DEV_CONFIG_GET, "t-mq");
	ASSERT_EQ(0, nl_send(&self->nl, keep, &self->said));
	EXPECT_EQ(4, self->said.number[VDPA_ATTR_DEV_NET_CFG_MAX_VQP]);
	start_dev(&self->nl, VDPA_CMD_DEV_GET, "t-mq");
	ASSERT_EQ(0, nl_send(&self->nl, keep, &self->said));
	EXPECT_EQ(9, self->said.number[VDPA_ATTR_DEV_MAX_VQS]);
	EXPECT_EQ(0, device_del("t-mq"));
}

TEST_F(netlink, net_features)
{
	uint64_t features = BASE_FEATURES | BIT(VIRTIO_NET_F_MTU);

	start_new(&self->nl, "t-net", NET);
	mnl_attr_put_u64(self->nl.request, VDPA_ATTR_DEV_FEATURES, features);
	ASSERT_EQ(0, nl_send(&self->nl, NULL, NULL));
	start_dev(&self->nl, VDPA_CMD_DEV_CONFIG_GET, "t-net");
	ASSERT_EQ(0, nl_send(&self->nl, keep, &self->said));
	EXPECT_EQ(features, self->said.number[VDPA_ATTR_DEV_FEATURES]);
	/* fields come with their features */
	EXPECT_EQ(1500, self->said.number[VDPA_ATTR_DEV_NET_CFG_MTU]);
	EXPECT_FALSE(self->said.has[VDPA_ATTR_DEV_NET_CFG_MACADDR]);
	EXPECT_FALSE(self->said.has[VDPA_ATTR_DEV_NET_STATUS]);
	EXPECT_EQ(0, device_del("t-net"));
}

TEST_F(netlink, blk_device)
{
	struct said *said = &self->said;

	ASSERT_EQ(0, device_add("t-blk", BLK));
	start_dev(&self->nl, VDPA_CMD_DEV_CONFIG_GET, "t-blk");
	ASSERT_EQ(0, nl_send(&self->nl, keep, said));
	EXPECT_EQ(VIRTIO_ID_BLOCK, said->number[VDPA_ATTR_DEV_ID]);
	EXPECT_EQ(0x40000, said->number[VDPA_ATTR_DEV_BLK_CFG_CAPACITY]);
	EXPECT_EQ(4096, said->number[VDPA_ATTR_DEV_BLK_CFG_SIZE_MAX]);
	EXPECT_EQ(32, said->number[VDPA_ATTR_DEV_BLK_CFG_SEG_MAX]);
	EXPECT_EQ(512, said->number[VDPA_ATTR_DEV_BLK_CFG_BLK_SIZE]);
	EXPECT_EQ(1, said->number[VDPA_ATTR_DEV_BLK_CFG_NUM_QUEUES]);
	EXPECT_TRUE(said->has[VDPA_ATTR_DEV_BLK_CFG_PHY_BLK_EXP]);
	EXPECT_TRUE(said->has[VDPA_ATTR_DEV_BLK_CFG_ALIGN_OFFSET]);
	EXPECT_EQ(1, said->number[VDPA_ATTR_DEV_BLK_CFG_MIN_IO_SIZE]);
	EXPECT_EQ(1, said->number[VDPA_ATTR_DEV_BLK_CFG_OPT_IO_SIZE]);
	EXPECT_NE(0, said->number[VDPA_ATTR_DEV_BLK_CFG_MAX_DISCARD_SEC]);
	EXPECT_NE(0, said->number[VDPA_ATTR_DEV_BLK_CFG_MAX_DISCARD_SEG]);
	EXPECT_EQ(1, said->number[VDPA_ATTR_DEV_BLK_CFG_DISCARD_SEC_ALIGN]);
	EXPECT_NE(0, said->number[VDPA_ATTR_DEV_BLK_CFG_MAX_WRITE_ZEROES_SEC]);
	EXPECT_NE(0, said->number[VDPA_ATTR_DEV_BLK_CFG_MAX_WRITE_ZEROES_SEG]);
	EXPECT_TRUE(said->has[VDPA_ATTR_DEV_BLK_READ_ONLY]);
	EXPECT_EQ(0, said->number[VDPA_ATTR_DEV_BLK_READ_ONLY]);
	EXPECT_EQ(1, said->number[VDPA_ATTR_DEV_BLK_FLUSH]);
	EXPECT_FALSE(said->has[VDPA_ATTR_DEV_NET_CFG_MACADDR]);
	EXPECT_EQ(0, device_del("t-blk"));
}

TEST_F(netlink, blk_fields_come_with_features)
{
	start_new(&self->nl, "t-blk", BLK);
	mnl_attr_put_u64(self->nl.request, VDPA_ATTR_DEV_FEATURES,
			 BASE_FEATURES | BIT(VIRTIO_BLK_F_BLK_SIZE));
	ASSERT_EQ(0, nl_send(&self->nl, NULL, NULL));
	start_dev(&self->nl, VDPA_CMD_DEV_CONFIG_GET, "t-blk");
	ASSERT_EQ(0, nl_send(&self->nl, keep, &self->said));
	EXPECT_TRUE(self->said.has[VDPA_ATTR_DEV_BLK_CFG_CAPACITY]);
	EXPECT_TRUE(self->said.has[VDPA_ATTR_DEV_BLK_CFG_BLK_SIZE]);
	EXPECT_FALSE(self->said.has[VDPA_ATTR_DEV_BLK_CFG_SIZE_MAX]);
	EXPECT_FALSE(self->said.has[VDPA_ATTR_DEV_BLK_CFG_NUM_QUEUES]);
	EXPECT_FALSE(self->said.has[VDPA_ATTR_DEV_BLK_CFG_MAX_DISCARD_SEC]);
	EXPECT_EQ(0, self->said.number[VDPA_ATTR_DEV_BLK_FLUSH]);
	EXPECT_EQ(0, device_del("t-blk"));
}

TEST_F(netlink, name_taken)
{
	ASSERT_EQ(0, device_add("t-name", NET));
	start_new(&self->nl, "t-name", NET);
	EXPECT_REFUSED(EEXIST);
	EXPECT_EQ(VDPA_ATTR_DEV_NAME, self->nl.bad_attr);
	/* by another management device too */
	start_new(&self->nl, "t-name", BLK);
	EXPECT_REFUSED(EEXIST);
	EXPECT_EQ(0, device_del("t-name"));
	/* and free again at once */
	EXPECT_EQ(0, device_add("t-name", BLK));
	EXPECT_EQ(0, device_del("t-name"));
}

TEST_F(netlink, name_bad)
{
	static const char *const names[] = { "", ".", "..", "a/b", "/", "a/" };
	char longest[257];
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		start_new(&self->nl, names[i], NET);
		EXPECT_REFUSED(EINVAL);
		EXPECT_EQ(VDPA_ATTR_DEV_NAME, self->nl.bad_attr);
	}

	memset(longest, 'x', sizeof(longest));
	longest[256] = 0;
	start_new(&self->nl, longest, NET);
	EXPECT_REFUSED(EINVAL);
	EXPECT_EQ(VDPA_ATTR_DEV_NAME, self->nl.bad_attr);

	longest[255] = 0;
	start_new(&self->nl, longest, NET);
	EXPECT_EQ(0, nl_send(&self->nl, NULL, NULL));
	EXPECT_EQ(0, device_del(longest));
}

TEST_F(netlink, name_not_terminated)
{
	nl_start(&self->nl, VDPA_CMD_DEV_NEW, false);
	mnl_attr_put_strz(self->nl.request, VDPA_ATTR_MGMTDEV_DEV_NAME, NET);
	mnl_attr_put(self->nl.request, VDPA_ATTR_DEV_NAME, 4, "abcd");
	EXPECT_REFUSED(EINVAL);
	EXPECT_EQ(VDPA_ATTR_DEV_NAME, self->nl.bad_attr);

	nl_start(&self->nl, VDPA_CMD_DEV_GET, false);
	mnl_attr_put(self->nl.request, VDPA_ATTR_DEV_NAME, 1, "a");
	EXPECT_REFUSED(EINVAL);
}

TEST_F(netlink, name_missing)
{
	static const uint8_t cmds[] = {
		VDPA_CMD_DEV_DEL, VDPA_CMD_DEV_GET, VDPA_CMD_DEV_CONFIG_GET,
		VDPA_CMD_DEV_VSTATS_GET, VDPA_CMD_DEV_ATTR_SET,
	};
	unsigned int i;

	start_new(&self->nl, "t-x", NULL);
	EXPECT_REFUSED(EINVAL);
	for (i = 0; i < sizeof(cmds); i++) {
		start_dev(&self->nl, cmds[i], NULL);
		EXPECT_REFUSED(EINVAL);
		start_dev(&self->nl, cmds[i], "none");
		EXPECT_REFUSED(ENODEV);
		EXPECT_EQ(VDPA_ATTR_DEV_NAME, self->nl.bad_attr);
	}
}

TEST_F(netlink, mgmtdev_unknown)
{
	start_new(&self->nl, "t-x", "none");
	EXPECT_REFUSED(ENODEV);
	EXPECT_EQ(VDPA_ATTR_MGMTDEV_DEV_NAME, self->nl.bad_attr);
}

TEST_F(netlink, mac_of_wrong_length)
{
	static const uint8_t bytes[16] = { 2 };
	int len;

	for (len = 0; len <= 16; len++) {
		if (len == 6)
			continue;
		start_new(&self->nl, "t-x", NET);
		mnl_attr_put(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MACADDR, len, bytes);
		EXPECT_REFUSED(ERANGE);
		EXPECT_EQ(VDPA_ATTR_DEV_NET_CFG_MACADDR, self->nl.bad_attr);
		EXPECT_NE(NULL, strstr(self->nl.text, "MAC"));
	}
}

TEST_F(netlink, values_out_of_range)
{
	start_new(&self->nl, "t-x", NET);
	mnl_attr_put_u16(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MTU, 67);
	EXPECT_REFUSED(ERANGE);
	EXPECT_EQ(VDPA_ATTR_DEV_NET_CFG_MTU, self->nl.bad_attr);

	start_new(&self->nl, "t-x", NET);
	mnl_attr_put_u16(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 0);
	EXPECT_REFUSED(EINVAL);
	EXPECT_EQ(VDPA_ATTR_DEV_NET_CFG_MAX_VQP, self->nl.bad_attr);

	start_new(&self->nl, "t-x", NET);
	mnl_attr_put_u16(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 0xffff);
	EXPECT_REFUSED(EINVAL);

	/* a feature that it does not have, and too few to be usable */
	start_new(&self->nl, "t-x", NET);
	mnl_attr_put_u64(self->nl.request, VDPA_ATTR_DEV_FEATURES, BASE_FEATURES | BIT(63));
	EXPECT_REFUSED(EINVAL);
	start_new(&self->nl, "t-x", NET);
	mnl_attr_put_u64(self->nl.request, VDPA_ATTR_DEV_FEATURES, 0);
	EXPECT_REFUSED(EINVAL);
}

TEST_F(netlink, attributes_without_their_feature)
{
	start_new(&self->nl, "t-x", NET);
	mnl_attr_put(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MACADDR, 6, mac);
	mnl_attr_put_u64(self->nl.request, VDPA_ATTR_DEV_FEATURES, BASE_FEATURES);
	EXPECT_REFUSED(EINVAL);
	EXPECT_EQ(VDPA_ATTR_DEV_NET_CFG_MACADDR, self->nl.bad_attr);

	start_new(&self->nl, "t-x", NET);
	mnl_attr_put_u16(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MTU, 1500);
	mnl_attr_put_u64(self->nl.request, VDPA_ATTR_DEV_FEATURES, BASE_FEATURES);
	EXPECT_REFUSED(EINVAL);
	EXPECT_EQ(VDPA_ATTR_DEV_NET_CFG_MTU, self->nl.bad_attr);

	start_new(&self->nl, "t-x", NET);
	mnl_attr_put_u16(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 2);
	mnl_attr_put_u64(self->nl.request, VDPA_ATTR_DEV_FEATURES, BASE_FEATURES);
	EXPECT_REFUSED(EINVAL);
	EXPECT_EQ(VDPA_ATTR_DEV_NET_CFG_MAX_VQP, self->nl.bad_attr);
}

TEST_F(netlink, attributes_of_another_class)
{
	start_new(&self->nl, "t-x", BLK);
	mnl_attr_put(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MACADDR, 6, mac);
	EXPECT_REFUSED(EOPNOTSUPP);
	EXPECT_EQ(VDPA_ATTR_DEV_NET_CFG_MACADDR, self->nl.bad_attr);

	start_new(&self->nl, "t-x", NET);
	mnl_attr_put_u64(self->nl.request, VDPA_ATTR_DEV_BLK_CFG_CAPACITY, 1);
	EXPECT_REFUSED(EOPNOTSUPP);
	EXPECT_EQ(VDPA_ATTR_DEV_BLK_CFG_CAPACITY, self->nl.bad_attr);
	start_new(&self->nl, "t-x", NET);
	mnl_attr_put_strz(self->nl.request, VDPA_ATTR_DEV_BLK_BACKING, "/dev/null");
	EXPECT_REFUSED(EOPNOTSUPP);
	EXPECT_EQ(VDPA_ATTR_DEV_BLK_BACKING, self->nl.bad_attr);
	start_new(&self->nl, "t-x", BLK);
	mnl_attr_put_strz(self->nl.request, VDPA_ATTR_DEV_NET_PEER, "t-y");
	EXPECT_REFUSED(EOPNOTSUPP);
	EXPECT_EQ(VDPA_ATTR_DEV_NET_PEER, self->nl.bad_attr);

	/* one that no request has */
	start_new(&self->nl, "t-x", BLK);
	mnl_attr_put_u8(self->nl.request, VDPA_ATTR_DEV_BLK_FLUSH, 1);
	EXPECT_REFUSED(EINVAL);
	start_new(&self->nl, "t-x", BLK);
	mnl_attr_put_u64(self->nl.request, 200, 1);
	EXPECT_REFUSED(EINVAL);
}

/* Attributes shorter or longer than their type. */
TEST_F(netlink, attributes_of_wrong_width)
{
	static const struct {
		uint8_t cmd;
		int attr;
		int size;
	} cases[] = {
		{ VDPA_CMD_DEV_NEW, VDPA_ATTR_DEV_NET_CFG_MTU, 2 },
		{ VDPA_CMD_DEV_NEW, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 2 },
		{ VDPA_CMD_DEV_NEW, VDPA_ATTR_DEV_FEATURES, 8 },
		{ VDPA_CMD_DEV_NEW, VDPA_ATTR_DEV_BLK_CFG_CAPACITY, 8 },
		{ VDPA_CMD_DEV_NEW, VDPA_ATTR_DEV_BLK_CFG_SEG_MAX, 4 },
		{ VDPA_CMD_DEV_NEW, VDPA_ATTR_DEV_BLK_CFG_NUM_QUEUES, 2 },
		{ VDPA_CMD_DEV_NEW, VDPA_ATTR_DEV_BLK_READ_ONLY, 1 },
		{ VDPA_CMD_DEV_NEW, VDPA_ATTR_DEV_NET_LINK, 1 },
		{ VDPA_CMD_DEV_VSTATS_GET, VDPA_ATTR_DEV_QUEUE_INDEX, 4 },
	};
	static const uint8_t zeroes[16];
	unsigned int i;
	int len;

	ASSERT_EQ(0, device_add("t-w", NET));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (len = 0; len <= cases[i].size + 1; len++) {
			if (len == cases[i].size)
				continue;
			if (cases[i].cmd == VDPA_CMD_DEV_NEW)
				start_new(&self->nl, "t-x", NET);
			else
				start_dev(&self->nl, cases[i].cmd, "t-w");
			mnl_attr_put(self->nl.request, cases[i].attr, len, zeroes);
			EXPECT_GT(0, nl_send(&self->nl, NULL, NULL)) {
				TH_LOG("attribute %d of %d bytes taken", cases[i].attr, len);
			}
			EXPECT_EQ(cases[i].attr, self->nl.bad_attr);
			EXPECT_NE(0, strlen(self->nl.text));
		}
	}
	EXPECT_EQ(0, device_del("t-w"));
}

TEST_F(netlink, malformed_message)
{
	/* an attribute that claims to be longer than the message */
	start_new(&self->nl, "t-x", NET);
	mnl_attr_put_u16(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MTU, 1500);
	((struct nlattr *)((char *)self->nl.request + self->nl.request->nlmsg_len - 8))->nla_len =
		400;
	EXPECT_GT(0, nl_send(&self->nl, NULL, NULL));

	/* shorter than its own header */
	start_new(&self->nl, "t-x", NET);
	mnl_attr_put_u16(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MTU, 1500);
	((struct nlattr *)((char *)self->nl.request + self->nl.request->nlmsg_len - 8))->nla_len =
		3;
	EXPECT_GT(0, nl_send(&self->nl, NULL, NULL));

	/* no command of the family */
	nl_start(&self->nl, 99, false);
	EXPECT_EQ(-EOPNOTSUPP, nl_send(&self->nl, NULL, NULL));
	nl_start(&self->nl, VDPA_CMD_MGMTDEV_NEW, false);
	EXPECT_EQ(-EOPNOTSUPP, nl_send(&self->nl, NULL, NULL));
}

TEST_F(netlink, unprivileged)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, device_add("t-priv", NET));
	pid = fork();
	if (!pid) {
		struct nl nl;

		if (setresuid(65534, 65534, 65534) || !nl_open(&nl))
			_exit(1);
		start_new(&nl, "t-x", NET);
		if (nl_send(&nl, NULL, NULL) != -EPERM)
			_exit(2);
		start_dev(&nl, VDPA_CMD_DEV_DEL, "t-priv");
		if (nl_send(&nl, NULL, NULL) != -EPERM)
			_exit(3);
		start_dev(&nl, VDPA_CMD_DEV_ATTR_SET, "t-priv");
		if (nl_send(&nl, NULL, NULL) != -EPERM)
			_exit(4);
		start_dev(&nl, VDPA_CMD_DEV_VSTATS_GET, "t-priv");
		if (nl_send(&nl, NULL, NULL) != -EPERM)
			_exit(5);
		/* to look is allowed */
		start_dev(&nl, VDPA_CMD_DEV_GET, "t-priv");
		_exit(nl_send(&nl, NULL, NULL) ? 6 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, device_del("t-priv"));
}

TEST_F(netlink, attr_set)
{
	static const uint8_t zero[6], group[6] = { 1 };

	ASSERT_EQ(0, device_add("t-set", NET));
	start_dev(&self->nl, VDPA_CMD_DEV_ATTR_SET, "t-set");
	mnl_attr_put(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MACADDR, 6, mac);
	EXPECT_EQ(0, nl_send(&self->nl, NULL, NULL));
	start_dev(&self->nl, VDPA_CMD_DEV_CONFIG_GET, "t-set");
	ASSERT_EQ(0, nl_send(&self->nl, keep, &self->said));
	EXPECT_EQ(0, memcmp(mac, &self->said.number[VDPA_ATTR_DEV_NET_CFG_MACADDR], 6));

	start_dev(&self->nl, VDPA_CMD_DEV_ATTR_SET, "t-set");
	EXPECT_REFUSED(EINVAL);
	start_dev(&self->nl, VDPA_CMD_DEV_ATTR_SET, "t-set");
	mnl_attr_put(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MACADDR, 6, zero);
	EXPECT_REFUSED(EINVAL);
	start_dev(&self->nl, VDPA_CMD_DEV_ATTR_SET, "t-set");
	mnl_attr_put(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MACADDR, 6, group);
	EXPECT_REFUSED(EINVAL);
	start_dev(&self->nl, VDPA_CMD_DEV_CONFIG_GET, "t-set");
	ASSERT_EQ(0, nl_send(&self->nl, keep, &self->said));
	EXPECT_EQ(0, memcmp(mac, &self->said.number[VDPA_ATTR_DEV_NET_CFG_MACADDR], 6));
	EXPECT_EQ(0, device_del("t-set"));

	ASSERT_EQ(0, device_add("t-set", BLK));
	start_dev(&self->nl, VDPA_CMD_DEV_ATTR_SET, "t-set");
	mnl_attr_put(self->nl.request, VDPA_ATTR_DEV_NET_CFG_MACADDR, 6, mac);
	EXPECT_REFUSED(EOPNOTSUPP);
	EXPECT_EQ(0, device_del("t-set"));
}

TEST_F(netlink, vstats)
{
	static const uint32_t bad[] = { 3, 0x7fff, 0x8000, 0xffff, 0xffffffff };
	unsigned int i;

	ASSERT_EQ(0, device_add("t-st", NET));
	start_dev(&self->nl, VDPA_CMD_DEV_VSTATS_GET, "t-st");
	EXPECT_REFUSED(EINVAL);
	start_dev(&self->nl, VDPA_CMD_DEV_VSTATS_GET, "t-st");
	mnl_attr_put_u32(self->nl.request, VDPA_ATTR_DEV_QUEUE_INDEX, 0);
	EXPECT_REFUSED(EAGAIN);

	ASSERT_EQ(0, device_bind("t-st", "virtio_vdpa"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start_dev(&self->nl, VDPA_CMD_DEV_VSTATS_GET, "t-st");
		mnl_attr_put_u32(self->nl.request, VDPA_ATTR_DEV_QUEUE_INDEX, bad[i]);
		EXPECT_REFUSED(EINVAL);
		EXPECT_EQ(VDPA_ATTR_DEV_QUEUE_INDEX, self->nl.bad_attr);
	}

	start_dev(&self->nl, VDPA_CMD_DEV_VSTATS_GET, "t-st");
	mnl_attr_put_u32(self->nl.request, VDPA_ATTR_DEV_QUEUE_INDEX, 0);
	ASSERT_EQ(0, nl_send(&self->nl, keep, &self->said));
	EXPECT_EQ(VDPA_CMD_DEV_VSTATS_GET, self->said.cmd);
	EXPECT_TRUE(self->said.has[VDPA_ATTR_DEV_NEGOTIATED_FEATURES]);
	EXPECT_EQ(1, self->said.number[VDPA_ATTR_DEV_NET_CFG_MAX_VQP]);
	ASSERT_EQ(5, self->said.n_names);
	EXPECT_STREQ("rx packets", self->said.names[0]);
	EXPECT_STREQ("rx bytes", self->said.names[1]);
	EXPECT_STREQ("rx errors", self->said.names[2]);
	EXPECT_STREQ("rx overruns", self->said.names[3]);
	EXPECT_STREQ("rx drops", self->said.names[4]);

	memset(&self->said, 0, sizeof(self->said));
	start_dev(&self->nl, VDPA_CMD_DEV_VSTATS_GET, "t-st");
	mnl_attr_put_u32(self->nl.request, VDPA_ATTR_DEV_QUEUE_INDEX, 1);
	ASSERT_EQ(0, nl_send(&self->nl, keep, &self->said));
	ASSERT_EQ(4, self->said.n_names);
	EXPECT_STREQ("tx drops", self->said.names[3]);

	memset(&self->said, 0, sizeof(self->said));
	start_dev(&self->nl, VDPA_CMD_DEV_VSTATS_GET, "t-st");
	mnl_attr_put_u32(self->nl.request, VDPA_ATTR_DEV_QUEUE_INDEX, 2);
	ASSERT_EQ(0, nl_send(&self->nl, keep, &self->said));
	ASSERT_EQ(3, self->said.n_names);
	EXPECT_STREQ("cvq requests", self->said.names[0]);
	EXPECT_EQ(0, device_del("t-st"));

	ASSERT_EQ(0, device_add("t-st", BLK));
	start_dev(&self->nl, VDPA_CMD_DEV_VSTATS_GET, "t-st");
	mnl_attr_put_u32(self->nl.request, VDPA_ATTR_DEV_QUEUE_INDEX, 0);
	EXPECT_GT(0, nl_send(&self->nl, NULL, NULL));
	EXPECT_EQ(0, device_del("t-st"));
}

static void *delete_all(void *arg)
{
	char name[16];
	int i;

	for (i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "t-d%d", i);
		if (device_del(name))
			return (void *)1;
	}
	return NULL;
}

/* A dump goes on while devices vanish. */
TEST_F_TIMEOUT(netlink, dump_while_deleting, 120)
{
	char name[16];
	pthread_t thread;
	void *failed;
	int i, count;

	for (i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "t-d%d", i);
		ASSERT_EQ(0, device_add(name, i % 2 ? NET : BLK));
	}
	EXPECT_EQ(500, nl_count(&self->nl, VDPA_CMD_DEV_GET));
	EXPECT_EQ(500, nl_count(&self->nl, VDPA_CMD_DEV_CONFIG_GET));

	ASSERT_EQ(0, pthread_create(&thread, NULL, delete_all, NULL));
	do {
		count = nl_count(&self->nl, VDPA_CMD_DEV_GET);
		EXPECT_LE(0, count);
		EXPECT_LE(0, nl_count(&self->nl, VDPA_CMD_DEV_CONFIG_GET));
	} while (count > 0);
	pthread_join(thread, &failed);
	EXPECT_EQ(NULL, failed);
}

TEST_HARNESS_MAIN
