// SPDX-License-Identifier: GPL-2.0-only
/*
 * The split ring: indices and their wrap, notifications both ways, save and
 * restore, and areas that are not in one piece.
 */

#include <linux/bits.h>
#include <linux/io.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <linux/vhost_iotlb.h>
#include <uapi/linux/virtio_config.h>

#include "driver.h"

#define EVENT_IDX BIT_ULL(VIRTIO_RING_F_EVENT_IDX)

/* a ring whose buffer @i is the byte @i of a page, to be written */
static struct test_driver *writer(struct kunit *test, unsigned int num,
				  u64 features)
{
	struct test_driver *drv = test_driver(test, num, features);
	u64 pa = virt_to_phys(test_buf(test, num));
	unsigned int i;

	vdpa_memory_clear(drv->mem, TEST_BUF_AS, true);
	for (i = 0; i < num; i++)
		test_desc(&drv->desc[i], pa + i, 1, F_WRITE, 0);
	return drv;
}

static void set_used_event(struct test_driver *drv, u16 idx)
{
	drv->avail->ring[drv->cfg.num] = cpu_to_le16(idx);
}

/* The device takes and completes @n chains, fewer if there are fewer. */
static unsigned int serve(struct kunit *test, struct test_driver *drv,
			  unsigned int n)
{
	struct vdpa_chain chain;
	unsigned int done;

	for (done = 0; done < n; done++) {
		if (vdpa_ring_next(drv->ring, &chain) != 1)
			break;
		if (vdpa_chain_push(&chain, "!", 1) != 1)
			KUNIT_FAIL(test, "push");
		vdpa_ring_complete(drv->ring, &chain);
	}
	return done;
}

/* The device serves @n chains in a burst. Return: whether it would notify. */
static bool burst(struct kunit *test, struct test_driver *drv, unsigned int n)
{
	bool notify;

	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
	KUNIT_EXPECT_EQ(test, n, serve(test, drv, n));
	notify = vdpa_ring_flush(drv->ring) > 0;
	vdpa_memory_exit(drv->mem);
	return notify;
}

/* The driver makes @n chains available, heads in the order of the ring. */
static void offer(struct test_driver *drv, unsigned int n)
{
	while (n--)
		test_offer(drv, drv->idx % drv->cfg.num);
}

struct bad_start {
	const char *desc;
	struct vdpa_ring_config cfg;
	int err;
};

#define CFG(_num, _desc, _driver, _device, _asid, _ring_asid, _features)	\
	{									\
		.num = (_num), .desc = (_desc), .driver = (_driver),		\
		.device = (_device), .asid = (_asid),				\
		.ring_asid = (_ring_asid), .features = (_features),		\
	}
#define CFG_NUM(num)		CFG(num, 0x1000, 0x2000, 0x3000, 0, 0, 0)
#define CFG_AT(desc, drv, dev)	CFG(8, desc, drv, dev, 0, 0, 0)
#define CFG_AS(asid, ring_asid)	CFG(8, 0x1000, 0x2000, 0x3000, asid, ring_asid, 0)

static const struct bad_start bad_starts[] = {
	{ "no entries", CFG_NUM(0), -EINVAL },
	{ "not a power of two", CFG_NUM(24), -EINVAL },
	{ "more than fit", CFG_NUM(512), -EINVAL },
	{ "far more", CFG_NUM(1U << 31), -EINVAL },
	{ "descriptors not aligned", CFG_AT(0x1008, 0x2000, 0x3000), -EINVAL },
	{ "driver area not aligned", CFG_AT(0x1000, 0x2001, 0x3000), -EINVAL },
	{ "device area not aligned", CFG_AT(0x1000, 0x2000, 0x3002), -EINVAL },
	{ "descriptors wrap", CFG_AT(U64_MAX - 0x6f, 0, 0), -EINVAL },
	{ "driver area wraps", CFG_AT(0, U64_MAX - 0x13, 0), -EINVAL },
	{ "device area wraps", CFG_AT(0, 0, U64_MAX - 0x43), -EINVAL },
	{ "buffers nowhere", CFG_AS(TEST_NAS, 0), -EINVAL },
	{ "ring nowhere", CFG_AS(0, UINT_MAX), -EINVAL },
	{ "all is well", CFG_NUM(8), 0 },
	{ "all at the end", CFG_AT(U64_MAX - 0x7f, U64_MAX - 0x15, U64_MAX - 0x47), 0 },
};

KUNIT_ARRAY_PARAM_DESC(bad_start, bad_starts, desc);

/* what cannot be a ring is not started, and touches no state */
static void split_start_refused(struct kunit *test)
{
	const struct bad_start *bad = test->param_value;
	struct vdpa_memory *mem = test_memory(test, 0);
	struct vdpa_ring *ring = vdpa_ring_alloc(mem, 256);
	struct vdpa_chain chain;

	KUNIT_ASSERT_NOT_NULL(test, ring);
	KUNIT_EXPECT_EQ(test, bad->err, vdpa_ring_start(ring, &bad->cfg));
	KUNIT_EXPECT_EQ(test, !bad->err, vdpa_ring_running(ring));
	if (!bad->err)
		KUNIT_EXPECT_EQ(test, -EBUSY, vdpa_ring_start(ring, &bad->cfg));
	vdpa_ring_stop(ring);
	KUNIT_EXPECT_FALSE(test, vdpa_ring_running(ring));
	KUNIT_EXPECT_EQ(test, -EIO, vdpa_ring_next(ring, &chain));
	KUNIT_EXPECT_EQ(test, 0, vdpa_ring_flush(ring));
	KUNIT_EXPECT_EQ(test, -EIO, vdpa_ring_enable_kick(ring));
	KUNIT_EXPECT_EQ(test, -EIO, vdpa_ring_disable_kick(ring));
	vdpa_ring_stop(ring);
	vdpa_ring_free(ring);
	KUNIT_EXPECT_NULL(test, vdpa_ring_alloc(mem, 0));
	KUNIT_EXPECT_NULL(test, vdpa_ring_alloc(mem, 32769));
}

/* indices run on past 65535, in bursts of every size, and each head comes back */
static void split_index_wrap(struct kunit *test)
{
	struct test_driver *drv = writer(test, 8, 0);
	unsigned int served, n, i;
	u16 pos;

	for (served = 0; served < 70000; served += n) {
		n = 1 + served % 8;
		offer(drv, n);
		if (!burst(test, drv, n)) {
			KUNIT_FAIL(test, "no notification at %u", served);
			return;
		}
		for (i = 0; i < n; i++) {
			pos = (served + i) % 8;
			if (le32_to_cpu(drv->used->ring[pos].id) == pos &&
			    le32_to_cpu(drv->used->ring[pos].len) == 1)
				continue;
			KUNIT_FAIL(test, "wrong used entry at %u", served + i);
			return;
		}
	}
	KUNIT_EXPECT_EQ(test, (u16)served, le16_to_cpu(drv->used->idx));
	KUNIT_EXPECT_FALSE(test, burst(test, drv, 0));
}

/* the largest ring, all of it in flight, across the wrap */
static void split_largest(struct kunit *test)
{
	struct test_driver *drv = writer(test, 32768, EVENT_IDX);
	int i;

	for (i = 0; i < 3; i++) {
		offer(drv, 32768);
		burst(test, drv, 32768);
		KUNIT_EXPECT_EQ(test, drv->idx, le16_to_cpu(drv->used->idx));
	}
}

/* Where the device goes on. */
static u16 avail_index(const struct test_driver *drv)
{
	struct vdpa_ring_state state;

	vdpa_ring_get_state(drv->ring, &state);
	return state.avail;
}

/* nothing is seen before the flush, then all of it */
static void split_publishes_once(struct kunit *test)
{
	struct test_driver *drv = writer(test, 8, 0);

	offer(drv, 5);
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
	KUNIT_EXPECT_EQ(test, 3, serve(test, drv, 3));
	KUNIT_EXPECT_EQ(test, 0, le16_to_cpu(drv->used->idx));
	KUNIT_EXPECT_EQ(test, 1, vdpa_ring_flush(drv->ring));
	KUNIT_EXPECT_EQ(test, 3, le16_to_cpu(drv->used->idx));
	KUNIT_EXPECT_EQ(test, 0, vdpa_ring_flush(drv->ring));
	KUNIT_EXPECT_EQ(test, 2, serve(test, drv, 9));
	KUNIT_EXPECT_EQ(test, 1, vdpa_ring_flush(drv->ring));
	vdpa_memory_exit(drv->mem);
	KUNIT_EXPECT_EQ(test, 5, le16_to_cpu(drv->used->idx));
}

/* a chain put back is fetched again, from its start, also at the wrap */
static void split_unget(struct kunit *test)
{
	struct test_driver *drv = writer(test, 8, 0);
	struct vdpa_chain chain;

	test_restart(test, drv, 65535);
	offer(drv, 2);
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
	KUNIT_EXPECT_EQ(test, 1, serve(test, drv, 1));
	KUNIT_ASSERT_EQ(test, 1, vdpa_ring_next(drv->ring, &chain));
	KUNIT_EXPECT_EQ(test, 0, chain.id);
	KUNIT_EXPECT_EQ(test, 1, vdpa_chain_push(&chain, "?", 1));
	vdpa_ring_unget(drv->ring, &chain);
	KUNIT_EXPECT_EQ(test, 0, avail_index(drv));
	KUNIT_ASSERT_EQ(test, 1, vdpa_ring_next(drv->ring, &chain));
	KUNIT_EXPECT_EQ(test, 0, chain.id);
	KUNIT_EXPECT_EQ(test, 1, chain.in.left);
	KUNIT_EXPECT_EQ(test, 0, chain.pushed);
	vdpa_ring_complete(drv->ring, &chain);
	vdpa_ring_flush(drv->ring);
	vdpa_memory_exit(drv->mem);
	KUNIT_EXPECT_EQ(test, 1, avail_index(drv));
	KUNIT_EXPECT_EQ(test, 0, le32_to_cpu(drv->used->ring[0].len));
}

/* stopped and started again at every index there is, the ring goes on there */
static void split_save_restore(struct kunit *test)
{
	struct test_driver *drv = writer(test, 4, EVENT_IDX);
	u32 i;

	for (i = 0; i <= 65536; i++) {
		vdpa_ring_stop(drv->ring);
		drv->cfg.state.avail = avail_index(drv);
		if (vdpa_ring_start(drv->ring, &drv->cfg))
			break;
		offer(drv, 1);
		set_used_event(drv, i);
		if (!burst(test, drv, 1) ||
		    le16_to_cpu(drv->used->idx) != (u16)(i + 1) ||
		    le32_to_cpu(drv->used->ring[i % 4].id) != i % 4)
			break;
	}
	KUNIT_EXPECT_EQ(test, 65537, i);
}

/* without EVENT_IDX the driver's flag decides */
static void split_notify_flag(struct kunit *test)
{
	struct test_driver *drv = writer(test, 8, 0);

	offer(drv, 1);
	KUNIT_EXPECT_TRUE(test, burst(test, drv, 1));
	drv->avail->flags = cpu_to_le16(VRING_AVAIL_F_NO_INTERRUPT);
	offer(drv, 1);
	KUNIT_EXPECT_FALSE(test, burst(test, drv, 1));
	drv->avail->flags = cpu_to_le16((u16)~VRING_AVAIL_F_NO_INTERRUPT);
	offer(drv, 1);
	KUNIT_EXPECT_TRUE(test, burst(test, drv, 1));
}

/*
 * With it the device notifies if and only if the entry asked for is among those
 * that the burst published, wherever in the index space; the flag means nothing.
 */
static void split_notify_event(struct kunit *test)
{
	static const u16 starts[] = { 0, 1, 100, 32766, 65528, 65535 };
	struct test_driver *drv = writer(test, 8, EVENT_IDX);
	unsigned int s, n;
	int event;

	drv->avail->flags = cpu_to_le16(VRING_AVAIL_F_NO_INTERRUPT);
	for (s = 0; s < ARRAY_SIZE(starts); s++) {
		for (n = 1; n <= 8; n++) {
			for (event = -12; event < 20; event++) {
				test_restart(test, drv, starts[s]);
				set_used_event(drv, starts[s] + event);
				offer(drv, n);
				KUNIT_EXPECT_EQ(test, event >= 0 && event < n,
						burst(test, drv, n));
			}
		}
	}
}

static bool enable_kick(struct kunit *test, struct test_driver *drv)
{
	bool more;

	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
	more = vdpa_ring_enable_kick(drv->ring) > 0;
	vdpa_memory_exit(drv->mem);
	return more;
}

static void disable_kick(struct kunit *test, struct test_driver *drv)
{
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
	vdpa_ring_disable_kick(drv->ring);
	vdpa_memory_exit(drv->mem);
}

static const u64 kick_features[] = { 0, EVENT_IDX };

static void kick_desc(const u64 *features, char *desc)
{
	strscpy(desc, *features ? "event index" : "flag", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kick, kick_features, kick_desc);

/*
 * No kick is lost: what comes after the device asked makes the driver kick, what
 * came before is reported to the device. For more than all indices there are.
 */
static void split_no_kick_lost(struct kunit *test)
{
	struct test_driver *drv = writer(test, 4, *(const u64 *)test->param_value);
	u32 i;
	u16 old;

	test_restart(test, drv, 65500);
	for (i = 0; i < 66000; i++) {
		if (i % 3 == 0)
			disable_kick(test, drv);
		if (i % 2) {
			/* the driver is late */
			if (enable_kick(test, drv))
				break;
			old = drv->idx;
			offer(drv, 1 + i % 3);
			if (!test_driver_kicks(drv, old))
				break;
		} else {
			/* the driver is early */
			offer(drv, 1 + i % 3);
			if (!enable_kick(test, drv))
				break;
		}
		burst(test, drv, 1 + i % 3);
	}
	KUNIT_EXPECT_EQ(test, 66000, i);
}

/* while the device is at work the driver does not kick */
static void split_kick_suppressed(struct kunit *test)
{
	u64 features = *(const u64 *)test->param_value;
	struct test_driver *drv = writer(test, 8, features);

	/* whatever an earlier life left there */
	drv->used->flags = cpu_to_le16(VRING_USED_F_NO_NOTIFY);
	KUNIT_EXPECT_FALSE(test, enable_kick(test, drv));
	KUNIT_EXPECT_EQ(test, 0, le16_to_cpu(drv->used->flags));
	offer(drv, 1);
	KUNIT_EXPECT_TRUE(test, test_driver_kicks(drv, 0));
	disable_kick(test, drv);
	offer(drv, 1);
	KUNIT_EXPECT_FALSE(test, test_driver_kicks(drv, 1));
	burst(test, drv, 2);
	offer(drv, 1);
	KUNIT_EXPECT_FALSE(test, test_driver_kicks(drv, 2));
	if (features)
		KUNIT_EXPECT_EQ(test, 0, le16_to_cpu(drv->used->flags));
}

/* put the pages of @buf to @iova, in an order in which no two touch in memory */
static void map_scattered(struct kunit *test, struct test_driver *drv, u64 iova,
			  void *buf, size_t step, size_t len)
{
	size_t off;

	for (off = 0; off < len; off += step)
		KUNIT_ASSERT_EQ(test, 0,
				vdpa_memory_map(drv->mem, TEST_RING_AS, iova + off,
						step, virt_to_phys(buf + off),
						VHOST_MAP_RW));
}

/* a ring in many small pieces serves like one in three, with and without events */
static void split_scattered_areas(struct kunit *test)
{
	struct test_driver *drv = writer(test, 64,
					 *(const u64 *)test->param_value);
	unsigned int i;
	u16 old;

	map_scattered(test, drv, 0x10000, drv->desc, 16, 1024);
	map_scattered(test, drv, 0x20000, drv->avail, 2, 134);
	map_scattered(test, drv, 0x30000, drv->used, 4, 520);
	drv->cfg.desc = 0x10000;
	drv->cfg.driver = 0x20000;
	drv->cfg.device = 0x30000;
	test_restart(test, drv, 65530);
	for (i = 0; i < 200; i++) {
		KUNIT_EXPECT_FALSE(test, enable_kick(test, drv));
		old = drv->idx;
		offer(drv, 5);
		KUNIT_EXPECT_TRUE(test, test_driver_kicks(drv, old));
		set_used_event(drv, old);
		KUNIT_EXPECT_TRUE(test, burst(test, drv, 5));
		KUNIT_EXPECT_EQ(test, drv->idx, le16_to_cpu(drv->used->idx));
		KUNIT_EXPECT_EQ(test, old % 64,
				le32_to_cpu(drv->used->ring[old % 64].id));
	}
}

/* the ring moves in memory while it runs: the next burst finds it */
static void split_areas_move(struct kunit *test)
{
	struct test_driver *drv = writer(test, 8, 0);
	struct test_used_ring *used = test_buf(test, PAGE_SIZE);

	map_scattered(test, drv, 0x10000, drv->desc, 128, 128);
	map_scattered(test, drv, 0x20000, drv->avail, 256, 256);
	map_scattered(test, drv, 0x30000, drv->used, 256, 256);
	drv->cfg.desc = 0x10000;
	drv->cfg.driver = 0x20000;
	drv->cfg.device = 0x30000;
	test_restart(test, drv, 0);
	offer(drv, 2);
	burst(test, drv, 1);
	KUNIT_EXPECT_EQ(test, 1, le16_to_cpu(drv->used->idx));
	KUNIT_EXPECT_TRUE(test, enable_kick(test, drv));
	used->flags = cpu_to_le16(VRING_USED_F_NO_NOTIFY);
	KUNIT_ASSERT_EQ(test, 0,
			vdpa_memory_unmap(drv->mem, TEST_RING_AS, 0x30000, 256));
	map_scattered(test, drv, 0x30000, used, 256, 256);
	burst(test, drv, 1);
	KUNIT_EXPECT_EQ(test, 1, le16_to_cpu(drv->used->idx));
	KUNIT_EXPECT_EQ(test, 2, le16_to_cpu(used->idx));
	KUNIT_EXPECT_EQ(test, 1, le32_to_cpu(used->ring[1].id));
	KUNIT_EXPECT_FALSE(test, enable_kick(test, drv));
	KUNIT_EXPECT_EQ(test, 0, le16_to_cpu(used->flags));
}

static struct kunit_case split_cases[] = {
	KUNIT_CASE_PARAM(split_start_refused, bad_start_gen_params),
	KUNIT_CASE(split_index_wrap),
	KUNIT_CASE(split_largest),
	KUNIT_CASE(split_publishes_once),
	KUNIT_CASE(split_unget),
	KUNIT_CASE(split_save_restore),
	KUNIT_CASE(split_notify_flag),
	KUNIT_CASE(split_notify_event),
	KUNIT_CASE_PARAM(split_no_kick_lost, kick_gen_params),
	KUNIT_CASE_PARAM(split_kick_suppressed, kick_gen_params),
	KUNIT_CASE_PARAM(split_scattered_areas, kick_gen_params),
	KUNIT_CASE(split_areas_move),
	{}
};

static struct kunit_suite split_suite = {
	.name = "vdpa_ring_split",
	.test_cases = split_cases,
};

kunit_test_suite(split_suite);
