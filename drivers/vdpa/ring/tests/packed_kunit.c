// SPDX-License-Identifier: GPL-2.0-only
/*
 * The packed ring: where it can start, which place asks for a notification, and in what
 * order the driver may see things.
 */

#include <linux/limits.h>

#include "packed_driver.h"

#define EVENT_IDX	BIT_ULL(VIRTIO_RING_F_EVENT_IDX)
#define NUM		5

struct packed_start {
	const char *desc;
	struct vdpa_ring_config cfg;
	int err;
};

#define CFG(_num, _desc, _driver, _device, ...)					\
	{									\
		.num = (_num), .desc = (_desc), .driver = (_driver),		\
		.device = (_device), .features = PACKED,			\
		.state = { __VA_ARGS__ },					\
	}
#define CFG_NUM(num)		CFG(num, 0x1000, 0x2000, 0x3000, 0, 0, 1, 1)
#define CFG_AT(desc, drv, dev)	CFG(8, desc, drv, dev, 0, 0, 1, 1)
#define CFG_STATE(...)		CFG(8, 0x1000, 0x2000, 0x3000, __VA_ARGS__)

static const struct packed_start starts[] = {
	{ "no entries", CFG_NUM(0), -EINVAL },
	{ "more than fit", CFG_NUM(257), -EINVAL },
	{ "descriptors not aligned", CFG_AT(0x1008, 0x2000, 0x3000), -EINVAL },
	{ "driver area not aligned", CFG_AT(0x1000, 0x2002, 0x3000), -EINVAL },
	{ "device area not aligned", CFG_AT(0x1000, 0x2000, 0x3002), -EINVAL },
	{ "descriptors wrap", CFG_AT(U64_MAX - 0x6f, 0, 0), -EINVAL },
	{ "fetched past the end", CFG_STATE(8, 7, 1, 1), -EINVAL },
	{ "used past the end", CFG_STATE(0, 8, 0, 1), -EINVAL },
	{ "used before it was fetched", CFG_STATE(3, 4, 1, 1), -EINVAL },
	{ "fetched more than a round", CFG_STATE(4, 3, 0, 1), -EINVAL },
	{ "not a power of two", CFG_NUM(13), 0 },
	{ "in the middle", CFG_STATE(3, 3, 0, 0), 0 },
	{ "some to be given back", CFG_STATE(7, 1, 1, 1), 0 },
	{ "some, in the next round", CFG_STATE(1, 7, 0, 1), 0 },
	{ "a whole round", CFG_STATE(3, 3, 0, 1), 0 },
	{ "all at the end", CFG_AT(U64_MAX - 0x7f, U64_MAX - 3, U64_MAX - 3), 0 },
};

KUNIT_ARRAY_PARAM_DESC(packed_start, starts, desc);

static void packed_start(struct kunit *test)
{
	const struct packed_start *start = test->param_value;
	struct vdpa_ring *ring = vdpa_ring_alloc(test_memory(test, 0), 256);
	struct vdpa_ring_state state;

	KUNIT_ASSERT_NOT_NULL(test, ring);
	KUNIT_EXPECT_EQ(test, start->err, vdpa_ring_start(ring, &start->cfg));
	vdpa_ring_stop(ring);
	vdpa_ring_get_state(ring, &state);
	if (!start->err)
		KUNIT_EXPECT_MEMEQ(test, &state, &start->cfg.state, sizeof(state));
	vdpa_ring_free(ring);
}

/* Make @n descriptors from @at of round @wrap available, a byte to write each. */
static void offer(struct test_driver *drv, u64 pa, u32 at, bool wrap, u32 n)
{
	for (; n--; at++) {
		if (at == NUM) {
			at = 0;
			wrap = !wrap;
		}
		packed_desc(&drv->desc[at], pa, 1, at, AVAIL_IN(wrap) | F_WRITE);
	}
}

/* The device serves @n chains. Return: whether it would notify. */
static bool burst(struct kunit *test, struct test_driver *drv, u32 n)
{
	struct vdpa_chain chain;
	bool notify;

	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
	for (; n; n--) {
		KUNIT_ASSERT_EQ(test, 1, vdpa_ring_next(drv->ring, &chain));
		KUNIT_EXPECT_EQ(test, 1, vdpa_chain_push(&chain, "!", 1));
		vdpa_ring_complete(drv->ring, &chain);
	}
	KUNIT_EXPECT_EQ(test, 0, vdpa_ring_next(drv->ring, &chain));
	notify = vdpa_ring_flush(drv->ring) > 0;
	vdpa_memory_exit(drv->mem);
	return notify;
}

static struct test_driver *writer(struct kunit *test, u64 features, u64 *pa)
{
	struct test_driver *drv = packed_driver(test, NUM, features);

	*pa = virt_to_phys(test_buf(test, PAGE_SIZE));
	vdpa_memory_clear(drv->mem, TEST_BUF_AS, true);
	return drv;
}

static void set_event(struct test_driver *drv, u16 place, u16 flags)
{
	__le16 *event = (void *)drv->avail;

	event[0] = cpu_to_le16(place);
	event[1] = cpu_to_le16(flags);
}

/*
 * From every place of either round, with every length of a burst, the device notifies
 * if and only if the place asked for is among those that it used.
 */
static void packed_notify_event(struct kunit *test)
{
	u64 pa;
	struct test_driver *drv = writer(test, EVENT_IDX, &pa);
	u32 from, n, event, place;
	bool wrap;

	for (from = 0; from < 2 * NUM; from++) {
		wrap = from < NUM;
		for (n = 1; n <= NUM; n++) {
			for (event = 0; event < 2 * NUM; event++) {
				place = (from + event) % (2 * NUM);
				set_event(drv, place < NUM ? BIT(15) | place : place - NUM,
					  VRING_PACKED_EVENT_FLAG_DESC);
				packed_restart(test, drv, from % NUM, wrap);
				memset(drv->desc, wrap ? 0 : 0xff, 16 * NUM);
				offer(drv, pa, from % NUM, wrap, n);
				KUNIT_EXPECT_EQ(test, event < n, burst(test, drv, n));
			}
		}
	}
}

/* the flags that count in one mode or both; "place" means always without the feature */
static void packed_notify_flags(struct kunit *test)
{
	static const struct {
		u64 features;
		u16 flags;
		bool notify;
	} cases[] = {
		{ 0, VRING_PACKED_EVENT_FLAG_ENABLE, true },
		{ 0, VRING_PACKED_EVENT_FLAG_DISABLE, false },
		{ 0, VRING_PACKED_EVENT_FLAG_DESC, true },
		{ EVENT_IDX, VRING_PACKED_EVENT_FLAG_ENABLE, true },
		{ EVENT_IDX, VRING_PACKED_EVENT_FLAG_DISABLE, false },
		{ EVENT_IDX, VRING_PACKED_EVENT_FLAG_DESC, false },
	};
	struct test_driver *drv;
	int i;
	u64 pa;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		drv = writer(test, cases[i].features, &pa);
		set_event(drv, 3, cases[i].flags);
		offer(drv, pa, 0, true, 2);
		KUNIT_EXPECT_EQ(test, cases[i].notify, burst(test, drv, 2));
	}
}

/* nothing is seen before the flush, then all of it: length, identity, flags */
static void packed_publishes_once(struct kunit *test)
{
	u64 pa;
	struct test_driver *drv = writer(test, 0, &pa);
	struct vdpa_chain chain;
	int i;

	offer(drv, pa, 0, true, 2);
	drv->desc[0].flags = cpu_to_le16(77);
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, 1, vdpa_ring_next(drv->ring, &chain));
		KUNIT_EXPECT_EQ(test, i ? 0 : 1,
				i ? 0 : vdpa_chain_push(&chain, "!", 1));
		vdpa_ring_complete(drv->ring, &chain);
		KUNIT_EXPECT_EQ(test, AVAIL | F_WRITE, le16_to_cpu(drv->desc[i].next));
	}
	KUNIT_EXPECT_EQ(test, 1, vdpa_ring_flush(drv->ring));
	KUNIT_EXPECT_EQ(test, 0, vdpa_ring_flush(drv->ring));
	vdpa_memory_exit(drv->mem);
	KUNIT_EXPECT_EQ(test, 77, le16_to_cpu(drv->desc[0].flags));
	KUNIT_EXPECT_EQ(test, 1, le32_to_cpu(drv->desc[0].len));
	KUNIT_EXPECT_EQ(test, USED_IN(true) | F_WRITE, le16_to_cpu(drv->desc[0].next));
	KUNIT_EXPECT_EQ(test, 1, le16_to_cpu(drv->desc[1].flags));
	KUNIT_EXPECT_EQ(test, 0, le32_to_cpu(drv->desc[1].len));
	KUNIT_EXPECT_EQ(test, USED_IN(true), le16_to_cpu(drv->desc[1].next));
}

/* used descriptors, and those of another round, are nothing new */
static void packed_not_available(struct kunit *test)
{
	static const u16 flags[] = { 0, USED, AVAIL | USED };
	u64 pa;
	struct test_driver *drv = writer(test, 0, &pa);
	struct vdpa_chain chain;
	int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		packed_desc(&drv->desc[0], pa, 1, 0, flags[i]);
		KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
		KUNIT_EXPECT_EQ(test, 0, vdpa_ring_next(drv->ring, &chain));
		KUNIT_EXPECT_EQ(test, 0, vdpa_ring_enable_kick(drv->ring));
		vdpa_memory_exit(drv->mem);
	}
	KUNIT_EXPECT_FALSE(test, vdpa_ring_broken(drv->ring));
}

static struct kunit_case packed_cases[] = {
	KUNIT_CASE_PARAM(packed_start, packed_start_gen_params),
	KUNIT_CASE(packed_notify_event),
	KUNIT_CASE(packed_notify_flags),
	KUNIT_CASE(packed_publishes_once),
	KUNIT_CASE(packed_not_available),
	{}
};

static struct kunit_suite packed_suite = {
	.name = "vdpa_ring_packed",
	.test_cases = packed_cases,
};

kunit_test_suite(packed_suite);
