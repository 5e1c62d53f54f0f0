// SPDX-License-Identifier: GPL-2.0-only
/*
 * A corpus of malformed rings. Each must be refused with the right error, break
 * its ring, leave alone what it does not own, and show what was completed before.
 */

#include <linux/bits.h>
#include <linux/io.h>
#include <linux/limits.h>
#include <linux/vhost_iotlb.h>

#include "driver.h"

#define NUM		16
#define INDIRECT	BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC)

/* what the chain begins with that makes the ring malformed */
#define HEAD	1

#define BUF	0x100000ULL	/* a page, read and write */
#define BUF_RO	0x200000ULL	/* a page, read only */
#define BUF_WO	0x300000ULL	/* a page, write only */
#define TABLE	0x400000ULL	/* a page of descriptors */
#define NOWHERE	0x500000ULL

struct line {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};

/**
 * struct malformed - a ring to be refused
 * @desc: what is wrong
 * @features: of the ring
 * @ring: descriptors from HEAD on
 * @table: descriptors at TABLE
 * @jump: by how much more than 1 the available index moves
 * @head: what goes into the available ring, if not 0
 * @access: it is found when the buffers are accessed, not when they are fetched
 * @err: how it is refused
 */
struct malformed {
	const char *desc;
	u64 features;
	struct line ring[4];
	struct line table[4];
	u16 jump;
	u16 head;
	bool access;
	int err;
};

static const struct malformed corpus[] = {
	{
		.desc = "head out of range",
		.head = NUM,
		.err = -EINVAL,
	}, {
		.desc = "head far out of range",
		.head = 0xffff,
		.err = -EINVAL,
	}, {
		.desc = "next out of range",
		.ring = { { BUF, 8, F_NEXT, NUM } },
		.err = -EINVAL,
	}, {
		.desc = "next far out of range",
		.ring = { { BUF, 8, F_NEXT, 0xffff } },
		.err = -EINVAL,
	}, {
		.desc = "loop of one",
		.ring = { { BUF, 8, F_NEXT, HEAD } },
		.err = -EINVAL,
	}, {
		.desc = "loop of three",
		.ring = {
			{ BUF, 8, F_NEXT, HEAD + 1 },
			{ BUF, 8, F_NEXT, HEAD + 2 },
			{ BUF, 8, F_NEXT, HEAD },
		},
		.err = -EINVAL,
	}, {
		.desc = "loop without bytes",
		.ring = { { 0, 0, F_NEXT, HEAD } },
		.err = -EINVAL,
	}, {
		.desc = "empty buffer",
		.ring = { { BUF, 0, 0, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "empty buffer to be written",
		.ring = { { BUF, 0, F_WRITE, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "empty buffer in the middle",
		.ring = {
			{ BUF, 8, F_NEXT, HEAD + 1 },
			{ BUF, 0, F_NEXT, HEAD + 2 },
			{ BUF, 8, 0, 0 },
		},
		.err = -EINVAL,
	}, {
		.desc = "empty buffer in a table",
		.features = INDIRECT,
		.ring = { { TABLE, 32, F_INDIRECT, 0 } },
		.table = { { BUF, 8, F_NEXT, 1 }, { BUF, 0, 0, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "read after written",
		.ring = {
			{ BUF, 8, F_NEXT | F_WRITE, HEAD + 1 },
			{ BUF, 8, 0, 0 },
		},
		.err = -EINVAL,
	}, {
		.desc = "buffer wraps",
		.ring = { { U64_MAX, 2, 0, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "more than 2^32 bytes",
		.ring = {
			{ BUF, U32_MAX, F_NEXT, HEAD + 1 },
			{ BUF, 1, F_WRITE, 0 },
		},
		.err = -EINVAL,
	}, {
		.desc = "available index jumps",
		.jump = NUM,
		.err = -EINVAL,
	}, {
		.desc = "available index goes back",
		.jump = 0xfffe,
		.err = -EINVAL,
	}, {
		.desc = "table not negotiated",
		.ring = { { TABLE, 16, F_INDIRECT, 0 } },
		.table = { { BUF, 8, 0, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "table of no length",
		.features = INDIRECT,
		.ring = { { TABLE, 0, F_INDIRECT, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "table of odd length",
		.features = INDIRECT,
		.ring = { { TABLE, 17, F_INDIRECT, 0 } },
		.table = { { BUF, 8, 0, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "table of less than a descriptor",
		.features = INDIRECT,
		.ring = { { TABLE, 15, F_INDIRECT, 0 } },
		.table = { { BUF, 8, 0, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "table wraps",
		.features = INDIRECT,
		.ring = { { U64_MAX - 15, 32, F_INDIRECT, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "table goes on in the ring",
		.features = INDIRECT,
		.ring = {
			{ TABLE, 16, F_INDIRECT | F_NEXT, HEAD + 1 },
			{ BUF, 8, 0, 0 },
		},
		.table = { { BUF, 8, 0, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "table in a table",
		.features = INDIRECT,
		.ring = { { TABLE, 32, F_INDIRECT, 0 } },
		.table = { { TABLE + 16, 16, F_INDIRECT, 0 }, { BUF, 8, 0, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "next past the table",
		.features = INDIRECT,
		.ring = { { TABLE, 32, F_INDIRECT, 0 } },
		.table = { { BUF, 8, F_NEXT, 2 }, { BUF, 8, 0, 0 }, { BUF, 8, 0, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "loop in a table",
		.features = INDIRECT,
		.ring = { { TABLE, 32, F_INDIRECT, 0 } },
		.table = { { BUF, 8, F_NEXT, 1 }, { BUF, 8, F_NEXT, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "endless table",
		.features = INDIRECT,
		.ring = { { TABLE, 0xfffffff0, F_INDIRECT, 0 } },
		.table = { { BUF, 8, F_NEXT, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "read before, written in a table",
		.features = INDIRECT,
		.ring = {
			{ BUF, 8, F_NEXT | F_WRITE, HEAD + 1 },
			{ TABLE, 16, F_INDIRECT, 0 },
		},
		.table = { { BUF, 8, 0, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "table not mapped",
		.features = INDIRECT,
		.ring = { { NOWHERE, 16, F_INDIRECT, 0 } },
		.err = -EFAULT,
	}, {
		.desc = "table not readable",
		.features = INDIRECT,
		.ring = { { BUF_WO, 16, F_INDIRECT, 0 } },
		.err = -EACCES,
	}, {
		.desc = "table ends in a hole",
		.features = INDIRECT,
		.ring = { { TABLE + PAGE_SIZE - 8, 16, F_INDIRECT, 0 } },
		.err = -EFAULT,
	}, {
		.desc = "read buffer not mapped",
		.ring = { { NOWHERE, 8, 0, 0 } },
		.access = true,
		.err = -EFAULT,
	}, {
		.desc = "written buffer not mapped",
		.ring = { { NOWHERE, 8, F_WRITE, 0 } },
		.access = true,
		.err = -EFAULT,
	}, {
		.desc = "buffer ends in a hole",
		.ring = { { BUF + PAGE_SIZE - 8, 9, F_WRITE, 0 } },
		.access = true,
		.err = -EFAULT,
	}, {
		.desc = "read buffer is write only",
		.ring = { { BUF_WO, 8, 0, 0 } },
		.access = true,
		.err = -EACCES,
	}, {
		.desc = "written buffer is read only",
		.ring = { { BUF_RO, 8, F_WRITE, 0 } },
		.access = true,
		.err = -EACCES,
	},
};

KUNIT_ARRAY_PARAM_DESC(malformed, corpus, desc);

static void put_lines(struct test_desc *to, const struct line *from)
{
	int i;

	for (i = 0; i < 4; i++)
		test_desc(&to[i], from[i].addr, from[i].len, from[i].flags,
			  from[i].next);
}

static void malformed_refused(struct kunit *test)
{
	const struct malformed *bad = test->param_value;
	struct test_driver *drv = test_driver(test, NUM, bad->features);
	struct vdpa_chain chain;
	u8 *read_only;

	test_map_page(test, drv, BUF, VHOST_MAP_RW);
	read_only = test_map_page(test, drv, BUF_RO, VHOST_MAP_RO);
	test_map_page(test, drv, BUF_WO, VHOST_MAP_WO);
	put_lines(test_map_page(test, drv, TABLE, VHOST_MAP_RO), bad->table);
	put_lines(&drv->desc[HEAD], bad->ring);
	memset(read_only, 0xee, PAGE_SIZE);

	/* one that is well, then the other */
	test_desc(&drv->desc[0], BUF, 1, F_WRITE, 0);
	test_offer(drv, 0);
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
	KUNIT_ASSERT_EQ(test, 1, vdpa_ring_next(drv->ring, &chain));
	vdpa_ring_complete(drv->ring, &chain);
	test_offer(drv, bad->head ?: HEAD);
	drv->idx += bad->jump;
	drv->avail->idx = cpu_to_le16(drv->idx);

	KUNIT_EXPECT_FALSE(test, vdpa_ring_broken(drv->ring));
	KUNIT_EXPECT_EQ(test, bad->err, test_consume(drv, bad->access));
	KUNIT_EXPECT_TRUE(test, vdpa_ring_broken(drv->ring));
	KUNIT_EXPECT_TRUE(test, vdpa_ring_running(drv->ring));
	KUNIT_EXPECT_EQ(test, -EIO, vdpa_ring_next(drv->ring, &chain));
	KUNIT_EXPECT_EQ(test, -EIO, vdpa_ring_enable_kick(drv->ring));
	KUNIT_EXPECT_EQ(test, 1, vdpa_ring_flush(drv->ring));
	vdpa_memory_exit(drv->mem);

	KUNIT_EXPECT_EQ(test, 1, le16_to_cpu(drv->used->idx));
	KUNIT_EXPECT_EQ(test, 0, le32_to_cpu(drv->used->ring[1].id));
	KUNIT_EXPECT_EQ(test, 0xee, read_only[0]);

	/* started anew it serves */
	drv->cfg.features = 0;
	test_restart(test, drv, 0);
	KUNIT_EXPECT_FALSE(test, vdpa_ring_broken(drv->ring));
	KUNIT_EXPECT_EQ(test, 4, test_poke(test, drv, BUF, "well", 4));
}

/* a chain as long as the ring is fetched; the ring cannot hold a longer one */
static void malformed_not_the_longest(struct kunit *test)
{
	struct test_driver *drv = test_driver(test, NUM, 0);
	struct vdpa_chain chain;
	int i;

	for (i = 0; i < NUM; i++)
		test_desc(&drv->desc[i], BUF, 8, i < NUM - 1 ? F_NEXT : 0, i + 1);
	test_offer(drv, 0);
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
	KUNIT_EXPECT_EQ(test, 1, vdpa_ring_next(drv->ring, &chain));
	KUNIT_EXPECT_EQ(test, NUM, chain.nr_out);
	vdpa_memory_exit(drv->mem);
}

enum area { DESC, DRIVER, DEVICE };

struct bad_area {
	const char *desc;
	enum area area;
	u32 perm;	/* 0 for not mapped at all */
	int err;
};

static const struct bad_area bad_areas[] = {
	{ "descriptors not mapped", DESC, 0, -EFAULT },
	{ "descriptors not readable", DESC, VHOST_MAP_WO, -EACCES },
	{ "driver area not mapped", DRIVER, 0, -EFAULT },
	{ "driver area not readable", DRIVER, VHOST_MAP_WO, -EACCES },
	{ "device area not mapped", DEVICE, 0, 0 },
	{ "device area not writable", DEVICE, VHOST_MAP_RO, 0 },
};

KUNIT_ARRAY_PARAM_DESC(bad_area, bad_areas, desc);

static u64 map_area(struct kunit *test, struct test_driver *drv,
		    const struct bad_area *bad, enum area area, void *mem)
{
	u32 perm = area == DEVICE ? VHOST_MAP_WO : VHOST_MAP_RO;
	u64 iova = 0x10000 * (area + 1);

	if (area == bad->area)
		perm = bad->perm;
	if (perm)
		KUNIT_ASSERT_EQ(test, 0,
				vdpa_memory_map(drv->mem, TEST_RING_AS, iova,
						PAGE_SIZE, virt_to_phys(mem), perm));
	return iova;
}

/* an area that cannot be reached breaks the ring when it is needed */
static void malformed_area(struct kunit *test)
{
	const struct bad_area *bad = test->param_value;
	struct test_driver *drv = test_driver(test, NUM, 0);
	struct vdpa_chain chain;

	vdpa_memory_clear(drv->mem, TEST_RING_AS, false);
	drv->cfg.desc = map_area(test, drv, bad, DESC, drv->desc);
	drv->cfg.driver = map_area(test, drv, bad, DRIVER, drv->avail);
	drv->cfg.device = map_area(test, drv, bad, DEVICE, drv->used);
	test_restart(test, drv, 0);
	test_desc(&drv->desc[0], BUF, 8, 0, 0);
	test_offer(drv, 0);
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
	KUNIT_EXPECT_EQ(test, bad->err ?: 1, vdpa_ring_next(drv->ring, &chain));
	KUNIT_EXPECT_EQ(test, bad->err < 0, vdpa_ring_broken(drv->ring));
	vdpa_ring_complete(drv->ring, &chain);
	KUNIT_EXPECT_GE(test, 0, vdpa_ring_flush(drv->ring));
	KUNIT_EXPECT_TRUE(test, vdpa_ring_broken(drv->ring));
	vdpa_memory_exit(drv->mem);
	KUNIT_EXPECT_EQ(test, 0, le16_to_cpu(drv->used->idx));
}

static struct kunit_case malformed_cases[] = {
	KUNIT_CASE_PARAM(malformed_refused, malformed_gen_params),
	KUNIT_CASE(malformed_not_the_longest),
	KUNIT_CASE_PARAM(malformed_area, bad_area_gen_params),
	{}
};

static struct kunit_suite malformed_suite = {
	.name = "vdpa_ring_malformed",
	.test_cases = malformed_cases,
};

kunit_test_suite(malformed_suite);
