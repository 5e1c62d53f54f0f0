// SPDX-License-Identifier: GPL-2.0-only
/*
 * Malformed packed rings, as malformed_kunit.c has split ones.
 */

#include <linux/limits.h>
#include <linux/vhost_iotlb.h>

#include "packed_driver.h"

#define NUM		8
#define INDIRECT	BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC)

#define BUF	0x100000ULL	/* a page, read and write */
#define BUF_RO	0x200000ULL	/* a page, read only */
#define BUF_WO	0x300000ULL	/* a page, write only */
#define TABLE	0x400000ULL	/* a page of descriptors */
#define NOWHERE	0x500000ULL

/* available in the first round; in the second */
#define A	AVAIL
#define B	USED

struct line {
	u64 addr;
	u32 len;
	u16 flags;
};

/**
 * struct malformed - a ring to be refused
 * @desc: what is wrong
 * @features: of the ring, besides being packed
 * @ring: descriptors from the second on; the first was used
 * @again: the first, once more
 * @table: descriptors at TABLE
 * @before: chains to fetch before the one that is refused
 * @access: it is found when the buffers are accessed, not when they are fetched
 * @err: how it is refused
 */
struct malformed {
	const char *desc;
	u64 features;
	struct line ring[NUM - 1];
	struct line again;
	struct line table[3];
	u8 before;
	bool access;
	int err;
};

#define BYTE(flags)	{ BUF, 1, flags }
#define BYTES(flags)	BYTE(flags), BYTE(flags), BYTE(flags), BYTE(flags),	\
			BYTE(flags), BYTE(flags), BYTE(flags)

static const struct malformed corpus[] = {
	{
		.desc = "next not available",
		.ring = { BYTE(A | F_NEXT) },
		.err = -EINVAL,
	}, {
		.desc = "next of another round",
		.ring = { BYTE(A | F_NEXT), BYTE(B) },
		.err = -EINVAL,
	}, {
		.desc = "next already used",
		.ring = { BYTE(A | F_NEXT), BYTE(A | B) },
		.err = -EINVAL,
	}, {
		.desc = "chain ends where one is that was not given back",
		.ring = { BYTES(A | F_NEXT) },
		.again = BYTE(B),
		.err = -EINVAL,
	}, {
		.desc = "available again before it was given back",
		.ring = { BYTES(A) },
		.again = BYTE(B),
		.before = NUM - 1,
		.err = -EINVAL,
	}, {
		.desc = "empty buffer",
		.ring = { { BUF, 0, A } },
		.err = -EINVAL,
	}, {
		.desc = "empty buffer at the end",
		.ring = { BYTE(A | F_NEXT), { BUF, 0, A | F_WRITE } },
		.err = -EINVAL,
	}, {
		.desc = "read after written",
		.ring = { BYTE(A | F_NEXT | F_WRITE), BYTE(A) },
		.err = -EINVAL,
	}, {
		.desc = "buffer wraps",
		.ring = { { U64_MAX, 2, A } },
		.err = -EINVAL,
	}, {
		.desc = "more than 2^32 bytes",
		.ring = { { BUF, U32_MAX, A | F_NEXT }, BYTE(A | F_WRITE) },
		.err = -EINVAL,
	}, {
		.desc = "table not negotiated",
		.ring = { { TABLE, 16, A | F_INDIRECT } },
		.table = { BYTE(0) },
		.err = -EINVAL,
	}, {
		.desc = "table of no length",
		.features = INDIRECT,
		.ring = { { TABLE, 0, A | F_INDIRECT } },
		.err = -EINVAL,
	}, {
		.desc = "table of odd length",
		.features = INDIRECT,
		.ring = { { TABLE, 17, A | F_INDIRECT } },
		.table = { BYTE(0), BYTE(0) },
		.err = -EINVAL,
	}, {
		.desc = "table too long",
		.features = INDIRECT,
		.ring = { { TABLE, 0x800000, A | F_INDIRECT } },
		.err = -EINVAL,
	}, {
		.desc = "table wraps",
		.features = INDIRECT,
		.ring = { { U64_MAX - 15, 32, A | F_INDIRECT } },
		.err = -EINVAL,
	}, {
		.desc = "table goes on in the ring",
		.features = INDIRECT,
		.ring = { { TABLE, 16, A | F_INDIRECT | F_NEXT }, BYTE(A) },
		.table = { BYTE(0) },
		.err = -EINVAL,
	}, {
		.desc = "table in a chain",
		.features = INDIRECT,
		.ring = { BYTE(A | F_NEXT), { TABLE, 16, A | F_INDIRECT } },
		.table = { BYTE(0) },
		.err = -EINVAL,
	}, {
		.desc = "table in a table",
		.features = INDIRECT,
		.ring = { { TABLE, 32, A | F_INDIRECT } },
		.table = { { TABLE + 16, 16, F_INDIRECT }, BYTE(0) },
		.err = -EINVAL,
	}, {
		.desc = "empty buffer in a table",
		.features = INDIRECT,
		.ring = { { TABLE, 32, A | F_INDIRECT } },
		.table = { BYTE(0), { BUF, 0, 0 } },
		.err = -EINVAL,
	}, {
		.desc = "read after written in a table",
		.features = INDIRECT,
		.ring = { { TABLE, 32, A | F_INDIRECT } },
		.table = { BYTE(F_WRITE), BYTE(0) },
		.err = -EINVAL,
	}, {
		.desc = "table not mapped",
		.features = INDIRECT,
		.ring = { { NOWHERE, 16, A | F_INDIRECT } },
		.err = -EFAULT,
	}, {
		.desc = "table not readable",
		.features = INDIRECT,
		.ring = { { BUF_WO, 16, A | F_INDIRECT } },
		.err = -EACCES,
	}, {
		.desc = "table ends in a hole",
		.features = INDIRECT,
		.ring = { { TABLE + PAGE_SIZE - 8, 16, A | F_INDIRECT } },
		.err = -EFAULT,
	}, {
		.desc = "read buffer not mapped",
		.ring = { { NOWHERE, 8, A } },
		.access = true,
		.err = -EFAULT,
	}, {
		.desc = "buffer ends in a hole",
		.ring = { { BUF + PAGE_SIZE - 8, 9, A | F_WRITE } },
		.access = true,
		.err = -EFAULT,
	}, {
		.desc = "read buffer is write only",
		.ring = { { BUF_WO, 8, A } },
		.access = true,
		.err = -EACCES,
	}, {
		.desc = "written buffer is read only",
		.ring = { { BUF_RO, 8, A | F_WRITE } },
		.access = true,
		.err = -EACCES,
	},
};

KUNIT_ARRAY_PARAM_DESC(malformed, corpus, desc);

static void put_lines(struct test_desc *to, const struct line *from, int n, u16 id)
{
	for (; n--; to++, from++)
		packed_desc(to, from->addr, from->len, id++, from->flags);
}

static void packed_malformed(struct kunit *test)
{
	const struct malformed *bad = test->param_value;
	struct test_driver *drv = packed_driver(test, NUM, bad->features);
	struct vdpa_chain chain;
	u8 *read_only;
	int i;

	test_map_page(test, drv, BUF, VHOST_MAP_RW);
	read_only = test_map_page(test, drv, BUF_RO, VHOST_MAP_RO);
	test_map_page(test, drv, BUF_WO, VHOST_MAP_WO);
	put_lines(test_map_page(test, drv, TABLE, VHOST_MAP_RO), bad->table, 3, 0);
	memset(read_only, 0xee, PAGE_SIZE);

	/* one that is well, then the others */
	packed_desc(&drv->desc[0], BUF, 1, 0, A | F_WRITE);
	put_lines(&drv->desc[1], bad->ring, NUM - 1, 1);
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
	for (i = 0; i <= bad->before; i++) {
		KUNIT_ASSERT_EQ(test, 1, vdpa_ring_next(drv->ring, &chain));
		vdpa_ring_complete(drv->ring, &chain);
	}
	if (bad->again.len)
		put_lines(&drv->desc[0], &bad->again, 1, 0);

	KUNIT_EXPECT_FALSE(test, vdpa_ring_broken(drv->ring));
	KUNIT_EXPECT_EQ(test, bad->err, test_consume(drv, bad->access));
	KUNIT_EXPECT_TRUE(test, vdpa_ring_broken(drv->ring));
	KUNIT_EXPECT_EQ(test, -EIO, vdpa_ring_next(drv->ring, &chain));
	KUNIT_EXPECT_EQ(test, -EIO, vdpa_ring_enable_kick(drv->ring));
	KUNIT_EXPECT_EQ(test, -EIO, vdpa_ring_disable_kick(drv->ring));
	KUNIT_EXPECT_EQ(test, 1, vdpa_ring_flush(drv->ring));
	vdpa_memory_exit(drv->mem);

	/* what was completed is shown, and nothing else */
	for (i = 0; i < NUM; i++)
		KUNIT_EXPECT_EQ(test, i <= bad->before,
				(le16_to_cpu(drv->desc[i].next) & (A | B)) == (A | B) &&
				(!i || bad->ring[i - 1].flags != (A | B)));
	KUNIT_EXPECT_EQ(test, 0xee, read_only[0]);

	/* started anew it serves */
	packed_restart(test, drv, 0, true);
	packed_desc(&drv->desc[0], BUF, 1, 0, A | F_WRITE);
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
	KUNIT_EXPECT_EQ(test, 0, test_consume(drv, true));
	KUNIT_EXPECT_EQ(test, 1, vdpa_ring_flush(drv->ring));
	vdpa_memory_exit(drv->mem);
}

static const u32 area_perms[][3] = {
	{ 0, VHOST_MAP_RO, VHOST_MAP_WO },
	{ VHOST_MAP_WO, VHOST_MAP_RO, VHOST_MAP_WO },
	{ VHOST_MAP_RO, VHOST_MAP_RO, VHOST_MAP_WO },
	{ VHOST_MAP_RW, 0, VHOST_MAP_WO },
	{ VHOST_MAP_RW, VHOST_MAP_WO, VHOST_MAP_WO },
	{ VHOST_MAP_RW, VHOST_MAP_RO, 0 },
	{ VHOST_MAP_RW, VHOST_MAP_RO, VHOST_MAP_RO },
};

/* an area that cannot be reached breaks the ring when it is needed */
static void packed_areas(struct kunit *test)
{
	struct test_driver *drv = packed_driver(test, NUM, 0);
	void *areas[] = { drv->desc, drv->avail, drv->used };
	u64 *iovas[] = { &drv->cfg.desc, &drv->cfg.driver, &drv->cfg.device };
	int i, j;

	for (i = 0; i < ARRAY_SIZE(area_perms); i++) {
		vdpa_memory_clear(drv->mem, TEST_RING_AS, false);
		for (j = 0; j < 3; j++) {
			*iovas[j] = 0x10000 * (j + 1);
			if (!area_perms[i][j])
				continue;
			KUNIT_ASSERT_EQ(test, 0,
					vdpa_memory_map(drv->mem, TEST_RING_AS, *iovas[j],
							PAGE_SIZE, virt_to_phys(areas[j]),
							area_perms[i][j]));
		}
		packed_restart(test, drv, 0, true);
		packed_desc(&drv->desc[0], BUF, 8, 0, A);
		KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(drv->mem));
		test_consume(drv, false);
		vdpa_ring_complete(drv->ring, &(struct vdpa_chain) { .descs = 1 });
		vdpa_ring_flush(drv->ring);
		vdpa_ring_enable_kick(drv->ring);
		KUNIT_EXPECT_TRUE(test, vdpa_ring_broken(drv->ring));
		vdpa_memory_exit(drv->mem);
	}
}

static struct kunit_case packed_malformed_cases[] = {
	KUNIT_CASE_PARAM(packed_malformed, malformed_gen_params),
	KUNIT_CASE(packed_areas),
	{}
};

static struct kunit_suite packed_malformed_suite = {
	.name = "vdpa_ring_packed_malformed",
	.test_cases = packed_malformed_cases,
};

kunit_test_suite(packed_malformed_suite);
