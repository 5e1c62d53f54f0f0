// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device classes: which attributes their writers append, of what width and value.
 */
#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/lockdep.h>
#include <linux/skbuff.h>
#include <linux/unaligned.h>
#include <net/netlink.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_net.h>

#include "../class.h"
#include "mock.h"

#define MODERN		BIT_ULL(VIRTIO_F_VERSION_1)
#define ATTR(name)	BIT_ULL(VDPA_ATTR_DEV_##name)

/* what every block device has */
#define BLK_ALWAYS	(ATTR(BLK_CFG_CAPACITY) | ATTR(BLK_READ_ONLY) | ATTR(BLK_FLUSH))

static void free_msg(void *msg)
{
	nlmsg_free(msg);
}

static struct sk_buff *new_msg(struct kunit *test, size_t size)
{
	struct sk_buff *msg = nlmsg_new(size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, msg);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_msg, msg));
	return msg;
}

/* Every byte of configuration space tells where it is. */
static void fill_config(u8 *config)
{
	unsigned int i;

	for (i = 0; i < VDPA_CLASS_CONFIG_MAX; i++)
		config[i] = i + 1;
}

static struct sk_buff *put_config(struct kunit *test, u32 id, u64 features)
{
	const struct vdpa_class *class = vdpa_class_find(id);
	struct sk_buff *msg = new_msg(test, NLMSG_DEFAULT_SIZE);
	u64 config[VDPA_CLASS_CONFIG_MAX / sizeof(u64)];

	KUNIT_ASSERT_NOT_NULL(test, class);
	KUNIT_ASSERT_LE(test, class->config_size, sizeof(config));
	fill_config((u8 *)config);
	KUNIT_ASSERT_EQ(test, 0, class->put_config(msg, features, config));
	return msg;
}

static const struct nlattr *find_attr(const struct sk_buff *msg, int attr)
{
	return nla_find((const struct nlattr *)msg->data, msg->len, attr);
}

/* The attributes of a message, a bit each. */
static u64 attrs_of(const struct sk_buff *msg)
{
	const struct nlattr *attr;
	u64 mask = 0;
	int rem;

	nla_for_each_attr(attr, (const struct nlattr *)msg->data, msg->len, rem)
		if (nla_type(attr) != VDPA_ATTR_PAD)
			mask |= BIT_ULL(nla_type(attr));
	return mask;
}

/* The number that the bytes of fill_config() at @offset are. */
static u64 field_at(unsigned int offset, unsigned int size, bool little_endian)
{
	unsigned int i, at;
	u64 value = 0;

	for (i = 0; i < size; i++) {
		at = little_endian ? size - 1 - i : i;
		value = value << 8 | (u8)(offset + at + 1);
	}
	return value;
}

static u64 attr_value(const struct nlattr *attr)
{
	switch (nla_len(attr)) {
	case 1:
		return nla_get_u8(attr);
	case 2:
		return nla_get_u16(attr);
	case 4:
		return nla_get_u32(attr);
	default:
		return nla_get_u64(attr);
	}
}

struct field {
	const char *desc;
	u32 id;
	u8 feature;
	u16 attr;
	u8 offset;
	u8 size;
};

/* offsets are those of the specification: sections 5.1.4 and 5.2.4 */
static const struct field fields[] = {
	{ "net status", VIRTIO_ID_NET, VIRTIO_NET_F_STATUS,
	  VDPA_ATTR_DEV_NET_STATUS, 6, 2 },
	{ "net pairs, MQ", VIRTIO_ID_NET, VIRTIO_NET_F_MQ,
	  VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 8, 2 },
	{ "net pairs, RSS", VIRTIO_ID_NET, VIRTIO_NET_F_RSS,
	  VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 8, 2 },
	{ "net MTU", VIRTIO_ID_NET, VIRTIO_NET_F_MTU,
	  VDPA_ATTR_DEV_NET_CFG_MTU, 10, 2 },
	{ "blk capacity", VIRTIO_ID_BLOCK, VIRTIO_F_VERSION_1,
	  VDPA_ATTR_DEV_BLK_CFG_CAPACITY, 0, 8 },
	{ "blk size max", VIRTIO_ID_BLOCK, VIRTIO_BLK_F_SIZE_MAX,
	  VDPA_ATTR_DEV_BLK_CFG_SIZE_MAX, 8, 4 },
	{ "blk segments", VIRTIO_ID_BLOCK, VIRTIO_BLK_F_SEG_MAX,
	  VDPA_ATTR_DEV_BLK_CFG_SEG_MAX, 12, 4 },
	{ "blk block size", VIRTIO_ID_BLOCK, VIRTIO_BLK_F_BLK_SIZE,
	  VDPA_ATTR_DEV_BLK_CFG_BLK_SIZE, 20, 4 },
	{ "blk physical exponent", VIRTIO_ID_BLOCK, VIRTIO_BLK_F_TOPOLOGY,
	  VDPA_ATTR_DEV_BLK_CFG_PHY_BLK_EXP, 24, 1 },
	{ "blk alignment", VIRTIO_ID_BLOCK, VIRTIO_BLK_F_TOPOLOGY,
	  VDPA_ATTR_DEV_BLK_CFG_ALIGN_OFFSET, 25, 1 },
	{ "blk smallest request", VIRTIO_ID_BLOCK, VIRTIO_BLK_F_TOPOLOGY,
	  VDPA_ATTR_DEV_BLK_CFG_MIN_IO_SIZE, 26, 2 },
	{ "blk best request", VIRTIO_ID_BLOCK, VIRTIO_BLK_F_TOPOLOGY,
	  VDPA_ATTR_DEV_BLK_CFG_OPT_IO_SIZE, 28, 4 },
	{ "blk queues", VIRTIO_ID_BLOCK, VIRTIO_BLK_F_MQ,
	  VDPA_ATTR_DEV_BLK_CFG_NUM_QUEUES, 34, 2 },
	{ "blk discard sectors", VIRTIO_ID_BLOCK, VIRTIO_BLK_F_DISCARD,
	  VDPA_ATTR_DEV_BLK_CFG_MAX_DISCARD_SEC, 36, 4 },
	{ "blk discard segments", VIRTIO_ID_BLOCK, VIRTIO_BLK_F_DISCARD,
	  VDPA_ATTR_DEV_BLK_CFG_MAX_DISCARD_SEG, 40, 4 },
	{ "blk discard alignment", VIRTIO_ID_BLOCK, VIRTIO_BLK_F_DISCARD,
	  VDPA_ATTR_DEV_BLK_CFG_DISCARD_SEC_ALIGN, 44, 4 },
	{ "blk zeroed sectors", VIRTIO_ID_BLOCK, VIRTIO_BLK_F_WRITE_ZEROES,
	  VDPA_ATTR_DEV_BLK_CFG_MAX_WRITE_ZEROES_SEC, 48, 4 },
	{ "blk zeroed segments", VIRTIO_ID_BLOCK, VIRTIO_BLK_F_WRITE_ZEROES,
	  VDPA_ATTR_DEV_BLK_CFG_MAX_WRITE_ZEROES_SEG, 52, 4 },
};

KUNIT_ARRAY_PARAM_DESC(field, fields, desc);

/* A field comes with its feature, in its width, out of its place. */
static void class_field(struct kunit *test)
{
	const struct field *field = test->param_value;
	u64 features = MODERN | BIT_ULL(field->feature);
	struct sk_buff *msg = put_config(test, field->id, features);
	const struct nlattr *attr = find_attr(msg, field->attr);

	KUNIT_ASSERT_NOT_NULL(test, attr);
	KUNIT_EXPECT_EQ(test, (int)field->size, nla_len(attr));
	KUNIT_EXPECT_EQ(test, field_at(field->offset, field->size, true),
			attr_value(attr));

	/* and with no other */
	if (field->feature == VIRTIO_F_VERSION_1)
		return;
	msg = put_config(test, field->id, MODERN);
	KUNIT_EXPECT_NULL(test, find_attr(msg, field->attr));
}

/* Fields of a legacy device have the byte order of its host. */
static void class_field_legacy(struct kunit *test)
{
	const struct field *field = test->param_value;
	u64 features = BIT_ULL(field->feature) & ~MODERN;
	struct sk_buff *msg = put_config(test, field->id, features);
	const struct nlattr *attr = find_attr(msg, field->attr);
	bool little_endian = (__force u16)cpu_to_le16(1) == 1;

	KUNIT_ASSERT_NOT_NULL(test, attr);
	KUNIT_EXPECT_EQ(test, field_at(field->offset, field->size, little_endian),
			attr_value(attr));
}

/* A class says nothing that no feature asks for. */
static void class_attrs(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, attrs_of(put_config(test, VIRTIO_ID_NET, MODERN)));
	KUNIT_EXPECT_EQ(test, BLK_ALWAYS,
			attrs_of(put_config(test, VIRTIO_ID_BLOCK, MODERN)));

	KUNIT_EXPECT_EQ(test,
			ATTR(NET_CFG_MACADDR) | ATTR(NET_STATUS) |
			ATTR(NET_CFG_MAX_VQP) | ATTR(NET_CFG_MTU),
			attrs_of(put_config(test, VIRTIO_ID_NET, ~0ULL)));
	KUNIT_EXPECT_EQ(test,
			GENMASK_ULL(VDPA_ATTR_DEV_BLK_FLUSH,
				    VDPA_ATTR_DEV_BLK_CFG_CAPACITY),
			attrs_of(put_config(test, VIRTIO_ID_BLOCK, ~0ULL)));
}

static void class_net_mac(struct kunit *test)
{
	static const u8 mac[ETH_ALEN] = { 1, 2, 3, 4, 5, 6 };
	struct sk_buff *msg = put_config(test, VIRTIO_ID_NET,
					 MODERN | BIT_ULL(VIRTIO_NET_F_MAC));
	const struct nlattr *attr = find_attr(msg, VDPA_ATTR_DEV_NET_CFG_MACADDR);

	KUNIT_ASSERT_NOT_NULL(test, attr);
	KUNIT_ASSERT_EQ(test, ETH_ALEN, nla_len(attr));
	KUNIT_EXPECT_MEMEQ(test, nla_data(attr), mac, ETH_ALEN);
}

static void class_blk_flags(struct kunit *test)
{
	unsigned int flags;

	for (flags = 0; flags < 4; flags++) {
		bool ro = flags & 1, flush = flags & 2;
		u64 features = MODERN | (u64)ro << VIRTIO_BLK_F_RO |
			       (u64)flush << VIRTIO_BLK_F_FLUSH;
		struct sk_buff *msg = put_config(test, VIRTIO_ID_BLOCK, features);

		KUNIT_EXPECT_EQ(test, (u8)ro,
				nla_get_u8(find_attr(msg, VDPA_ATTR_DEV_BLK_READ_ONLY)));
		KUNIT_EXPECT_EQ(test, (u8)flush,
				nla_get_u8(find_attr(msg, VDPA_ATTR_DEV_BLK_FLUSH)));
	}
}

/* Wherever a message ends, the writer says so rather than leave something out. */
static void class_no_room(struct kunit *test)
{
	static const u32 ids[] = { VIRTIO_ID_NET, VIRTIO_ID_BLOCK };
	const u64 config[VDPA_CLASS_CONFIG_MAX / sizeof(u64)] = {};
	unsigned int i;
	int room, whole;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		const struct vdpa_class *class = vdpa_class_find(ids[i]);

		whole = put_config(test, ids[i], ~0ULL)->len;
		/* of which a number of 64 bits may need padding, or not */
		for (room = 0; room < whole - NLA_HDRLEN; room += NLA_ALIGNTO) {
			struct sk_buff *msg = new_msg(test, NLMSG_DEFAULT_SIZE);

			skb_reserve(msg, skb_tailroom(msg) - room);
			KUNIT_EXPECT_EQ(test, -EMSGSIZE,
					class->put_config(msg, ~0ULL, config));
		}
	}
}

static void class_unknown(struct kunit *test)
{
	static const u32 ids[] = { 0, VIRTIO_ID_CONSOLE, VIRTIO_ID_FS, U32_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++)
		KUNIT_EXPECT_NULL(test, vdpa_class_find(ids[i]));
}

static void get_short_config(struct vdpa_device *vdev, unsigned int offset,
			     void *buf, unsigned int len)
{
	struct mock *mock = to_mock(vdev);

	lockdep_assert_held_read(&vdev->cf_lock);
	KUNIT_EXPECT_EQ(mock->test, 0, offset);
	KUNIT_EXPECT_LE(mock->test, len, MOCK_CONFIG);
	memset(buf, 'c', len);
}

/* What the device does not have reads as zeroes and is not asked for. */
static void class_short_config(struct kunit *test)
{
	struct mock *mock = mock_new(test);
	u8 config[MOCK_CONFIG + 8], expected[MOCK_CONFIG + 8] = {};

	memset(expected, 'c', MOCK_CONFIG);
	memset(config, 0xff, sizeof(config));
	mock->ops.get_config = get_short_config;
	KUNIT_ASSERT_EQ(test, 0, mock_register(mock));

	scoped_guard(rwsem_read, &mock->vdev->cf_lock)
		vdpa_class_read(mock->vdev, config, sizeof(config));
	KUNIT_EXPECT_MEMEQ(test, config, expected, sizeof(config));
}

static void class_net_pairs(struct kunit *test)
{
	struct mock *mock = mock_new(test);

	put_unaligned_le16(0x1234, mock->config + 8);
	KUNIT_ASSERT_EQ(test, 0, mock_register(mock));

	guard(rwsem_read)(&mock->vdev->cf_lock);
	mock->features = MODERN;
	KUNIT_EXPECT_EQ(test, 1, vdpa_class_net_pairs(mock->vdev));
	mock->features = MODERN | BIT_ULL(VIRTIO_NET_F_MQ);
	KUNIT_EXPECT_EQ(test, 0x1234, vdpa_class_net_pairs(mock->vdev));
	mock->features = MODERN | BIT_ULL(VIRTIO_NET_F_RSS);
	KUNIT_EXPECT_EQ(test, 0x1234, vdpa_class_net_pairs(mock->vdev));
}

static struct kunit_case class_cases[] = {
	KUNIT_CASE_PARAM(class_field, field_gen_params),
	KUNIT_CASE_PARAM(class_field_legacy, field_gen_params),
	KUNIT_CASE(class_attrs),
	KUNIT_CASE(class_net_mac),
	KUNIT_CASE(class_blk_flags),
	KUNIT_CASE(class_no_room),
	KUNIT_CASE(class_unknown),
	KUNIT_CASE(class_short_config),
	KUNIT_CASE(class_net_pairs),
	{}
};

static struct kunit_suite class_suite = {
	.name = "vdpa_class",
	.test_cases = class_cases,
};

kunit_test_suite(class_suite);
